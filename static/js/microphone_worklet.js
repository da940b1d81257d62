/** Gathers what the microphone hears into blocks of PCM s16le. */

class MicrophoneProcessor extends AudioWorkletProcessor {
  #size; // samples of a block
  #block;
  #filled = 0;

  constructor({ processorOptions }) {
    super();
    this.#size = processorOptions.block;
    this.#block = new Int16Array(this.#size);
  }

  process([[samples]]) {
    for (const sample of samples ?? []) {
      this.#block[this.#filled] = Math.max(-1, Math.min(1, sample)) * 32767;
      this.#filled += 1;
      if (this.#filled === this.#size) {
        this.port.postMessage(this.#block.buffer, [this.#block.buffer]);
        this.#block = new Int16Array(this.#size);
        this.#filled = 0;
      }
    }
    return true;
  }
}

registerProcessor("microphone", MicrophoneProcessor);
