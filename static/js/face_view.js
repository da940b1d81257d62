/** The canvas that shows the face. At rest it shows the first picture of the last text. */

const FADE_MS = 220;

export class FaceView {
  #canvas;
  #context;
  #rest = null;
  #poster = null;
  #fading = 0;

  /** @param {HTMLCanvasElement} canvas its data-poster is shown until the first picture */
  constructor(canvas) {
    this.#canvas = canvas;
    this.#context = canvas.getContext("2d", { alpha: false });
    if (canvas.dataset.poster) this.poster = canvas.dataset.poster;
  }

  /** The address of a picture of another face, to rest at until it speaks. */
  set poster(url) {
    const poster = new Image();
    this.#poster = poster;
    this.#rest?.close();
    this.#rest = null;
    poster.onload = () => {
      if (this.#poster === poster && !this.#rest) this.#draw(poster);
    };
    poster.src = url;
  }

  /** Draws a picture and closes its bitmap, or keeps it as the one to rest at. */
  show(bitmap, { keep }) {
    cancelAnimationFrame(this.#fading);
    this.#poster = null; // one that still loads comes too late
    this.#draw(bitmap);
    if (!keep) {
      bitmap.close();
      return;
    }
    this.#rest?.close();
    this.#rest = bitmap;
  }

  /** Keeps the picture of a video that ends. @param {HTMLVideoElement} video */
  hold(video) {
    this.#poster = null;
    this.#draw(video, video.videoWidth, video.videoHeight);
  }

  #draw(image, width = image.width, height = image.height) {
    if (this.#canvas.width !== width || this.#canvas.height !== height) {
      this.#canvas.width = width;
      this.#canvas.height = height;
    }
    this.#context.drawImage(image, 0, 0);
  }

  /** Fades to the resting picture. */
  rest() {
    if (!this.#rest) return;
    const start = performance.now();
    const step = (now) => {
      const done = Math.min((now - start) / FADE_MS, 1);
      this.#context.globalAlpha = Math.max(done, 0.08);
      this.#context.drawImage(this.#rest, 0, 0);
      this.#context.globalAlpha = 1;
      if (done < 1) this.#fading = requestAnimationFrame(step);
    };
    this.#fading = requestAnimationFrame(step);
  }

  /** @param {number} loudness 0..1, shown as a glow around the face */
  set level(loudness) {
    const glow = Math.min(Math.sqrt(loudness) * 1.6, 1);
    this.#canvas.parentElement.style.setProperty("--level", glow.toFixed(3));
  }
}
