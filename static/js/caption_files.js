/** Links that save the captions of a film beside it. */

export class CaptionFiles {
  #element = document.getElementById("caption-files");

  /**
   * @param {{captions_url: string, subtitles_url: string}} job a record
   * @param {string} name of the film's file
   */
  show(job, name) {
    const stem = name.replace(/\.\w+$/, "");
    const links = this.#element.querySelectorAll("a");
    [job.captions_url, job.subtitles_url].forEach((url, index) => {
      links[index].href = url;
      links[index].download = `${stem}.${links[index].dataset.kind}`;
    });
    this.#element.hidden = false;
  }

  hide() {
    this.#element.hidden = true;
  }
}
