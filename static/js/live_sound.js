/** Plays the sound of a session as it arrives, and is the clock that pictures follow. */

import { heardTime, loudness } from "./heard.js";
import { Kind } from "./live_packet.js";
import { OpusSound } from "./opus_sound.js";
import { Playout } from "./playout.js";

const SAMPLE_RATE = 48000;
const CUT_S = 0.008; // of the fade that ends what is stale

export class LiveSound {
  #context = null;
  #gain = null;
  #analyser = null;
  #wave = new Float32Array(1024);
  #muted;
  #heard = new Playout(); // on the clock of the sound device
  #arrived = new Playout(); // on the clock of the machine: without a device, or not allowed yet
  #running = false;
  #generation = -1;
  #voice = null; // the gain through which this generation plays
  #sources = new Set();
  #opus = null;

  /** @param {boolean} muted */
  constructor(muted) {
    this.#muted = muted;
  }

  /** Call inside a click or key press where the browser wants one before any sound. */
  unlock() {
    if (!this.#context) this.#open();
    this.#context?.resume().catch(() => {});
  }

  #open() {
    try {
      this.#context = new AudioContext({ sampleRate: SAMPLE_RATE, latencyHint: "interactive" });
    } catch {
      return; // this machine has no way to play sound
    }
    this.#gain = new GainNode(this.#context, { gain: this.#muted ? 0 : 1 });
    this.#analyser = new AnalyserNode(this.#context, { fftSize: this.#wave.length });
    this.#analyser.connect(this.#gain).connect(this.#context.destination);
  }

  /** The AudioContext, once it was unlocked; or null. */
  get context() {
    return this.#context;
  }

  /** Muted, the clock goes on. */
  set muted(value) {
    this.#muted = value;
    this.#gain?.gain.setTargetAtTime(value ? 0 : 1, this.#context.currentTime, 0.01);
  }

  /** False as long as the browser lets no sound out. */
  get running() {
    return this.#context?.state === "running";
  }

  /** Seconds of room for uneven arrival, at least. */
  set least(seconds) {
    this.#heard.least = seconds;
    this.#arrived.least = seconds;
  }

  get stalls() {
    return this.#heard.stalls + this.#arrived.stalls;
  }

  /** Seconds of sound that are here and not heard yet. */
  get buffered() {
    return this.running ? this.#heard.ahead : this.#arrived.ahead;
  }

  /** Takes a packet of any kind: each tells what time it is, and sound is played. */
  receive(packet) {
    this.#arrived.arrive(packet.seconds, performance.now() / 1000, packet.idle);
    if (packet.kind === Kind.PCM) this.#schedule(samplesOf(packet.payload), packet);
    if (packet.kind === Kind.OPUS) {
      this.#opus ??= new OpusSound((samples, of) => this.#schedule(samples, of));
      this.#opus.decode(packet);
    }
  }

  #schedule(samples, { seconds, generation, idle }) {
    if (generation < this.#generation) return; // stale
    if (this.running !== this.#running) {
      this.#running = this.running;
      this.#heard.reset();
    }
    if (generation > this.#generation) this.#cut(generation);
    if (!this.#running || !samples.length) return;
    const length = samples.length / SAMPLE_RATE;
    const at = this.#heard.arrive(seconds, this.#context.currentTime, idle, length);
    const buffer = this.#context.createBuffer(1, samples.length, SAMPLE_RATE);
    buffer.copyToChannel(samples, 0);
    const source = new AudioBufferSourceNode(this.#context, {
      buffer,
      playbackRate: this.#heard.rate,
    });
    if (!this.#voice) {
      this.#voice = new GainNode(this.#context);
      this.#voice.connect(this.#analyser);
    }
    source.connect(this.#voice);
    source.onended = () => this.#sources.delete(source);
    this.#sources.add(source);
    source.start(at);
  }

  /** Ends what is scheduled: everything from now on is of `generation`. */
  #cut(generation) {
    this.#generation = generation;
    if (!this.#voice) return;
    const stale = this.#voice;
    const now = this.#context.currentTime;
    stale.gain.setValueAtTime(1, now);
    stale.gain.linearRampToValueAtTime(0, now + CUT_S);
    for (const source of this.#sources) source.stop(now + CUT_S);
    this.#sources.clear();
    this.#voice = null;
  }

  /** Seconds on the session's clock that are heard now, or would be. */
  get time() {
    if (this.running && this.#heard.started) return this.#heard.time(heardTime(this.#context));
    return this.#arrived.time(performance.now() / 1000);
  }

  /** Loudness of this moment, muted or not: root mean square, 0..1. */
  get level() {
    if (!this.running) return 0;
    return loudness(this.#analyser, this.#wave);
  }

  /** After a lost line, or for another session: nothing of before is waited for. */
  restart() {
    for (const source of this.#sources) source.stop();
    this.#sources.clear();
    this.#heard.reset();
    this.#arrived.reset();
    this.#opus?.close();
    this.#opus = null;
    this.#generation = -1;
    this.#voice?.disconnect();
    this.#voice = null;
  }

  close() {
    this.restart();
    this.#context?.close();
    this.#context = null;
    this.#running = false;
  }
}

function samplesOf(bytes) {
  const source = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const samples = new Float32Array(bytes.length >> 1);
  for (let i = 0; i < samples.length; i += 1) samples[i] = source.getInt16(2 * i, true) / 32768;
  return samples;
}
