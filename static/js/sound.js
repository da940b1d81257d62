/** Plays sound that is still arriving, and is the clock that pictures follow. */

import { heardTime, loudness } from "./heard.js";
import { readWav } from "./wav_stream.js";

const START_WITH_S = 0.12;
const LEAD_S = 0.1; // between the decision to start and the first sample: room for uneven arrival
const GAP_S = 0.03; // after the sound ran dry, before it goes on

export class Sound {
  #context = null;
  #gain = null;
  #analyser = null;
  #wave = new Float32Array(1024);
  #sampleRate = 22050;
  #waiting = [];
  #sources = new Set();
  #segments = []; // what plays when: {at: context time, from: seconds of sound, to}
  #muted = false;

  constructor() {
    this.#reset();
  }

  #reset() {
    this.#waiting = [];
    this.#segments = [];
    this.loaded = 0; // seconds of sound received
    this.complete = false; // all sound has been received
    this.broken = false; // it broke off, or never came
    this.started = false;
  }

  /** Call inside a click or key press: browsers allow sound only after one. */
  unlock() {
    if (this.#context?.sampleRate !== this.#sampleRate) this.#open();
    this.#context?.resume().catch(() => {});
  }

  #open() {
    this.#context?.close();
    try {
      this.#context = new AudioContext({ sampleRate: this.#sampleRate, latencyHint: "interactive" });
    } catch {
      this.#context = null; // this machine has no way to play sound
      return;
    }
    this.#gain = new GainNode(this.#context, { gain: this.#muted ? 0 : 1 });
    this.#analyser = new AnalyserNode(this.#context, { fftSize: this.#wave.length });
    this.#analyser.connect(this.#gain).connect(this.#context.destination);
  }

  get running() {
    return this.#context?.state === "running";
  }

  set muted(value) {
    this.#muted = value;
    if (this.#gain) this.#gain.gain.value = value ? 0 : 1;
  }

  /** Receives the sound until its end. Never throws: `failed` and `lost` say what happened. */
  async load(open, signal) {
    try {
      const response = await open();
      for await (const { sampleRate, samples } of readWav(response.body)) {
        if (signal.aborted) return;
        this.#sampleRate = sampleRate;
        this.#waiting.push(samples);
        this.loaded += samples.length / sampleRate;
        if (this.started) this.#schedule();
      }
      this.complete = true;
    } catch {
      if (!signal.aborted) this.fail();
    }
  }

  /** No more sound will come, and some is missing. */
  fail() {
    this.broken = true;
    this.complete = true;
  }

  /** True when no sound came at all. */
  get failed() {
    return this.broken && this.loaded === 0;
  }

  /** True when a started sound cannot go on: no device any more, or it broke off. */
  get lost() {
    return !this.running || (this.broken && this.ended);
  }

  /** True when there is sound and a device that plays it. */
  get ready() {
    const enough = this.loaded >= START_WITH_S || (this.complete && this.loaded > 0);
    return enough && this.running;
  }

  start() {
    this.started = true;
    this.#schedule(LEAD_S);
  }

  #schedule(delay = GAP_S) {
    for (const samples of this.#waiting) {
      const duration = samples.length / this.#sampleRate;
      const last = this.#segments.at(-1);
      const from = last?.to ?? 0;
      const earliest = this.#context.currentTime;
      let at = last ? last.at + (last.to - last.from) : earliest + delay;
      if (last && at >= earliest) last.to += duration;
      else {
        at = Math.max(at, earliest + delay);
        this.#segments.push({ at, from, to: from + duration });
      }
      this.#play(samples, at);
    }
    this.#waiting = [];
  }

  #play(samples, at) {
    const buffer = this.#context.createBuffer(1, samples.length, this.#sampleRate);
    buffer.copyToChannel(samples, 0);
    const source = new AudioBufferSourceNode(this.#context, { buffer });
    source.connect(this.#analyser);
    source.onended = () => this.#sources.delete(source);
    this.#sources.add(source);
    source.start(at);
  }

  /** Seconds of sound heard so far. */
  get time() {
    if (!this.started) return 0;
    const now = heardTime(this.#context);
    const segment = this.#segments.findLast(({ at }) => at <= now);
    return segment ? Math.min(segment.from + now - segment.at, segment.to) : 0;
  }

  get ended() {
    return this.complete && this.time >= this.loaded - 0.001;
  }

  /** Loudness of this moment: root mean square, 0..1. */
  get level() {
    if (!this.started || !this.#analyser) return 0;
    return loudness(this.#analyser, this.#wave);
  }

  stop() {
    for (const source of this.#sources) source.stop();
    this.#sources.clear();
    this.#reset();
  }
}
