"use strict";
// Filters, and words for what is pointed at. Without it the page shows everything all the same.
(() => {
  const form = document.querySelector(".filters");
  const shown = document.querySelector(".shown");
  const stories = [...document.querySelectorAll(".story")];
  const texts = new Map();

  const textOf = (story) => {
    if (!texts.has(story)) texts.set(story, story.textContent.toLowerCase());
    return texts.get(story);
  };

  const fits = (story, wanted) =>
    (!wanted.verdict || story.dataset.verdict === wanted.verdict) &&
    (!wanted.clause || story.dataset.clauses.includes(`|${wanted.clause}|`)) &&
    (!wanted.fault || story.dataset.faults.includes(`|${wanted.fault}|`)) &&
    (!wanted.phase || story.dataset.phase === wanted.phase) &&
    (!wanted.text || textOf(story).includes(wanted.text.trim().toLowerCase()));

  const filter = () => {
    const wanted = Object.fromEntries(new FormData(form));
    let count = 0;
    for (const story of stories) {
      story.hidden = !fits(story, wanted);
      count += !story.hidden;
    }
    const all = stories.length;
    shown.textContent = count === all ? `${all} scenarios` : `${count} of ${all} scenarios`;
  };

  const reveal = () => {
    const story = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!story || !story.matches(".story")) return;
    if (story.hidden) {
      form.reset();
      filter();
    }
    story.open = true;
    story.scrollIntoView();
    story.querySelector("summary").focus({ preventScroll: true });
  };

  const point = (event) => {
    const part = event.target.closest(".lanes *");
    const hint = part && part.querySelector("title");
    if (!hint) return;
    const picture = part.closest(".picture");
    let words = picture.nextElementSibling;
    if (!words || !words.matches(".pointed")) {
      words = document.createElement("p");
      words.className = "pointed";
      picture.after(words);
    }
    words.textContent = hint.textContent;
  };

  form.addEventListener("input", filter);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(filter)); // it is told before anything is reset
  form.elements.unfold.addEventListener("click", () => stories.forEach((story) => (story.open ||= !story.hidden)));
  form.elements.fold.addEventListener("click", () => stories.forEach((story) => (story.open = false)));
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a.filter");
    if (link) {
      form.reset();
      for (const [name, value] of Object.entries(link.dataset)) form.elements[name].value = value;
    }
    point(event);
  });
  window.addEventListener("hashchange", reveal);
  form.hidden = false;
  filter(); // a browser that comes back to the page fills the form in again
  reveal();
})();
