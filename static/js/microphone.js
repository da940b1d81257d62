/** The sound of the microphone, as the server wants it: PCM s16le, mono. */

const BLOCK_S = 0.02;

/** Asks for the microphone. Rejects with a DOMException where there is none or it is refused. */
export async function askMicrophone() {
  if (!navigator.mediaDevices) throw new DOMException("no secure page", "NotSupportedError");
  return navigator.mediaDevices.getUserMedia({
    audio: { echoCancellation: true, noiseSuppression: true, autoGainControl: true },
  });
}

export function releaseMicrophone(stream) {
  for (const track of stream.getTracks()) track.stop();
}

export class MicrophoneSound {
  #context = null;
  #node = null;
  #turn = 0;

  /**
   * Begins.
   * @param {MediaStream} stream
   * @param {(sampleRate: number) => void} onStart
   * @param {(pcm: ArrayBuffer) => void} onSound each 20 ms
   */
  async start(stream, onStart, onSound) {
    this.#turn += 1;
    const turn = this.#turn;
    const context = new AudioContext();
    try {
      await context.audioWorklet.addModule(new URL("./microphone_worklet.js", import.meta.url));
    } catch (error) {
      context.close();
      throw error;
    }
    if (turn !== this.#turn) {
      context.close();
      return;
    }
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
    this.#context.close();
    this.#node = null;
    this.#context = null;
  }
}
