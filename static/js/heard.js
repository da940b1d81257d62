// What comes out of an AudioContext at this moment.

/** The context's time that is heard now: what is computed minus what waits in the device. */
export function heardTime(context) {
  const { contextTime, performanceTime } = context.getOutputTimestamp();
  const computed = context.currentTime;
  if (!performanceTime) return computed - (context.outputLatency || 0);
  const heard = contextTime + (performance.now() - performanceTime) / 1000;
  return Math.min(heard, computed);
}

/** Root mean square of what passes an analyser now, 0..1; `wave` takes its samples. */
export function loudness(analyser, wave) {
  analyser.getFloatTimeDomainData(wave);
  let sum = 0;
  for (const sample of wave) sum += sample * sample;
  return Math.sqrt(sum / wave.length);
}
