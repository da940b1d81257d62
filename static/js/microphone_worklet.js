/** Gathers what the microphone hears into blocks of PCM s16le. */

class MicrophoneProcessor extends AudioWorkletProcessor {
  #block;
  #filled = 0;

  constructor({ processorOptions }) {
    super();
    this.#block = new Int16Array(processorOptions.block);
  }

  process([[samples]]) {
    for (const sample of samples ?? []) {
      this.#block[this.#filled] = Math.max(-1, Math.min(1, sample)) * 32767;
      this.#filled += 1;
      if (this.#filled === this.#block.length) {
        this.port.postMessage(this.#block.buffer, [this.#block.buffer]);
        this.#block = new Int16Array(this.#block.length);
        this.#filled = 0;
      }
    }
    return true;
  }
}

registerProcessor("microphone", MicrophoneProcessor);
