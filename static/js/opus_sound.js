/** Decodes the Opus packets of a session, where the browser can. */

const FORMAT = { codec: "opus", sampleRate: 48000, numberOfChannels: 1 };
const MOST_WAITING = 50;

export class OpusSound {
  #decoder;
  #waiting = []; // packets whose samples have not come yet, in order

  static async supported() {
    if (!("AudioDecoder" in globalThis)) return false;
    return (await AudioDecoder.isConfigSupported(FORMAT).catch(() => ({}))).supported === true;
  }

  /** @param {(samples: Float32Array, packet) => void} onSamples */
  constructor(onSamples) {
    this.#decoder = new AudioDecoder({
      output: (data) => {
        const packet = this.#waiting.shift();
        const samples = new Float32Array(data.numberOfFrames);
        data.copyTo(samples, { planeIndex: 0, format: "f32-planar" });
        data.close();
        if (packet) onSamples(samples, packet);
      },
      error: () => this.close(), // the next packet is of a new decoder, or none
    });
    this.#decoder.configure(FORMAT);
  }

  decode(packet) {
    if (this.#decoder.state !== "configured" || this.#waiting.length > MOST_WAITING) return;
    this.#waiting.push(packet);
    const timestamp = Math.round(packet.seconds * 1e6);
    this.#decoder.decode(new EncodedAudioChunk({ type: "key", timestamp, data: packet.payload }));
  }

  close() {
    if (this.#decoder.state !== "closed") this.#decoder.close();
    this.#waiting = [];
  }
}
