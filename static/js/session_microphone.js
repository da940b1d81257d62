/** The microphone that drives a session's face: a track of WebRTC, or bare PCM over a socket. */

import { MicrophoneSound, askMicrophone, releaseMicrophone } from "./microphone.js";

const MOST_WAITING_BYTES = 48_000; // half a second of sound that the line has not taken

export class SessionMicrophone {
  #line;
  #sound = new MicrophoneSound();
  #stream = null;
  #turn = 0;

  /** @param {import("./session_line.js").SessionLine} line */
  constructor(line) {
    this.#line = line;
  }

  get on() {
    return this.#stream !== null;
  }

  /** Whether what the page itself plays comes back through it: only a video's sound is cancelled. */
  get echoes() {
    return this.on && this.#line.way?.kind !== "webrtc";
  }

  /** Rejects with a DOMException where there is none or it is refused. */
  async start() {
    this.#turn += 1;
    const turn = this.#turn;
    const stream = await askMicrophone();
    if (turn !== this.#turn) {
      releaseMicrophone(stream);
      return;
    }
    this.#stream = stream;
    if (this.#line.way?.kind === "webrtc") [this.#line.microphone] = stream.getAudioTracks();
    else await this.#sendSound(stream);
  }

  async #sendSound(stream) {
    try {
      await this.#sound.start(
        stream,
        (rate) => this.#line.send({ type: "microphone", sample_rate: rate }),
        (pcm) => this.#line.sendSound(pcm, MOST_WAITING_BYTES),
      );
    } catch (error) {
      this.stop();
      throw error;
    }
  }

  stop() {
    this.#turn += 1;
    if (!this.#stream) return;
    this.#line.send({ type: "audio_end" });
    this.#line.microphone = null;
    this.#sound.stop();
    releaseMicrophone(this.#stream);
    this.#stream = null;
  }
}
