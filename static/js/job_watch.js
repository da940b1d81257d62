/** Follows a job to its end: by its WebSocket, or by asking again and again where that fails. */

import { ApiError, openEvents, readJob } from "./api.js";
import { hangUp } from "./hang_up.js";

const ASK_EVERY_MS = 500;
const LEAST_ALIGNED = 0.5;

/**
 * Resolves to the done job. Throws ApiError as the job fails, AbortError when `signal` aborts.
 *
 * `onProgress({percent, stage, secondsLeft})`: secondsLeft is null while nothing is known.
 * `onWord({text, start_s, end_s})`: seconds on the clock of the job's sound.
 */
export async function followJob(id, { signal, onProgress = () => {}, onWord = () => {} }) {
  const job = await readJob(id, signal);
  const told = await listen(job, { signal, onProgress, onWord });
  return told ? readJob(id, signal) : ask(id, signal, onProgress);
}

/** Resolves to true at the job's end, false when the socket ends before it. */
function listen(job, { signal, onProgress, onWord }) {
  return new Promise((resolve, reject) => {
    const socket = openEvents(job);
    const leave = () => {
      hangUp(socket);
      reject(signal.reason);
    };
    signal.addEventListener("abort", leave, { once: true });
    socket.onclose = () => {
      signal.removeEventListener("abort", leave);
      resolve(false);
    };
    socket.onmessage = ({ data }) => {
      const event = JSON.parse(data);
      if (event.type === "progress") onProgress(progressOf(event.percent, event));
      else if (event.type === "word") onWord(event);
      else if (event.type === "done") resolve(true);
      else if (event.type === "error") reject(ApiError.of(event));
      if (event.type === "done" || event.type === "error") socket.close();
    };
  });
}

async function ask(id, signal, onProgress) {
  for (;;) {
    const job = await readJob(id, signal);
    if (job.error) throw ApiError.of(job.error);
    if (job.status === "done") return job;
    onProgress(progressOf(100 * job.progress, job));
    await pause(ASK_EVERY_MS, signal);
  }
}

/** The words of this done job were not in its recording, so the lips follow the sound alone. */
export function isUnaligned({ aligned }) {
  return aligned !== null && aligned < LEAST_ALIGNED;
}

function progressOf(percent, { stage, time_left_s }) {
  return { percent, stage, secondsLeft: time_left_s };
}

function pause(milliseconds, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, milliseconds);
    const leave = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    signal.addEventListener("abort", leave, { once: true });
  });
}
