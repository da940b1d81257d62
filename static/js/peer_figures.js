/** What the browser counts of a WebRTC connection, in the terms of the page. */

const LOSS_SAMPLES = 5; // over which loss and rates are told

/** What `getStats` says, in a few numbers. All of it adds up from the connection's beginning. */
function countsOf(report) {
  const entries = [...report.values()];
  const received = (kind) =>
    entries.find((entry) => entry.type === "inbound-rtp" && entry.kind === kind) ?? {};
  const [audio, video] = [received("audio"), received("video")];
  const transport = entries.find(({ type }) => type === "transport");
  const pair =
    report.get(transport?.selectedCandidatePairId) ??
    entries.find(({ type, nominated }) => type === "candidate-pair" && nominated);
  const sum = (name) => (audio[name] ?? 0) + (video[name] ?? 0);
  return {
    at: video.timestamp ?? 0, // ms
    bytes: sum("bytesReceived"),
    packets: sum("packetsReceived"),
    lost: sum("packetsLost"),
    dropped: video.framesDropped ?? 0,
    concealed: audio.concealmentEvents ?? 0,
    waited: audio.jitterBufferDelay ?? 0, // seconds, of all samples
    samples: audio.jitterBufferEmittedCount ?? 0,
    skewMs: skewOf(audio, video),
    roundTripMs: pair?.currentRoundTripTime ? 1000 * pair.currentRoundTripTime : null,
    codec: (report.get(video.codecId)?.mimeType ?? "").replace("video/", ""),
  };
}

/** Milliseconds by which the sound is ahead; null before the sender's clock is known. */
function skewOf({ estimatedPlayoutTimestamp: heard }, { estimatedPlayoutTimestamp: seen }) {
  return heard && seen ? heard - seen : null;
}

export class PeerFigures {
  #counts = [];
  #concealed = null; // before there was any sound to lose

  dropped = 0;
  stalls = 0;
  delayMs = 0; // for which sound waits before it is heard
  loss = null; // 0..1
  kilobytes = 0; // a second
  roundTripMs = null;
  skewMs = null;
  codec = "";

  /** @param {RTCStatsReport} report about twice a second */
  take(report) {
    const now = countsOf(report);
    const last = this.#counts.at(-1) ?? now;
    const first = this.#counts[0] ?? now;
    this.#counts.push(now);
    if (this.#counts.length > LOSS_SAMPLES) this.#counts.shift();
    const { dropped, skewMs, roundTripMs, codec } = now;
    Object.assign(this, { dropped, skewMs, roundTripMs, codec });
    this.#concealed ??= now.samples ? now.concealed : null;
    this.stalls = now.concealed - (this.#concealed ?? now.concealed);
    const samples = now.samples - last.samples;
    if (samples > 0) this.delayMs = (1000 * (now.waited - last.waited)) / samples;
    const lost = Math.max(0, now.lost - first.lost); // what comes late after all is not lost
    const due = now.packets - first.packets + lost;
    if (due > 0) this.loss = lost / due;
    // Bytes in a millisecond are kilobytes in a second.
    if (now.at > first.at) this.kilobytes = (now.bytes - first.bytes) / (now.at - first.at);
  }
}
