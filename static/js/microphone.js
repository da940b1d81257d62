/** The sound of the microphone, as the server wants it: PCM s16le, mono. */

const BLOCK_S = 0.02;

export class Microphone {
  #stream = null;
  #context = null;
  #node = null;
  #turn = 0;

  get on() {
    return this.#node !== null;
  }

  /**
   * Asks for it and begins. Rejects with a DOMException where there is none or it is refused.
   * @param {(sampleRate: number) => void} onStart
   * @param {(pcm: ArrayBuffer) => void} onSound each 20 ms
   */
  async start(onStart, onSound) {
    this.#turn += 1;
    const turn = this.#turn;
    if (!navigator.mediaDevices) throw new DOMException("no secure page", "NotSupportedError");
    const stream = await navigator.mediaDevices.getUserMedia({
      audio: { echoCancellation: true, noiseSuppression: true, autoGainControl: true },
    });
    const context = new AudioContext();
    try {
      await context.audioWorklet.addModule(new URL("./microphone_worklet.js", import.meta.url));
    } catch (error) {
      release(stream, context);
      throw error;
    }
    if (turn !== this.#turn) {
      release(stream, context);
      return;
    }
    this.#stream = stream;
    this.#context = context;
    const source = new MediaStreamAudioSourceNode(context, { mediaStream: stream });
    this.#node = new AudioWorkletNode(context, "microphone", {
      numberOfOutputs: 0,
      channelCount: 1,
      channelCountMode: "explicit",
      processorOptions: { block: Math.round(context.sampleRate * BLOCK_S) },
    });
    onStart(context.sampleRate);
    this.#node.port.onmessage = ({ data }) => onSound(data);
    source.connect(this.#node);
  }

  stop() {
    this.#turn += 1;
    if (!this.#node) return;
    this.#node.port.onmessage = null;
    release(this.#stream, this.#context);
    this.#node = null;
    this.#context = null;
    this.#stream = null;
  }
}

function release(stream, context) {
  for (const track of stream.getTracks()) track.stop();
  context.close();
}
