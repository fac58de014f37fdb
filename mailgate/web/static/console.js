// Keys for lists: j and k move, / searches. Enter follows a link by itself, and so does Tab:
// nothing needs this script.
"use strict";

(() => {
  const links = [...document.querySelectorAll("[data-keys] .row-subject > a")];
  const search = document.getElementById("q");
  const hint = document.querySelector("[data-keys-hint]");
  if (hint) hint.hidden = false;

  const go = (step) => {
    const at = links.findIndex((link) => link.closest("li").contains(document.activeElement));
    const to = at < 0 ? (step > 0 ? 0 : links.length - 1) : at + step;
    const link = links[Math.min(Math.max(to, 0), links.length - 1)];
    if (link) {
      link.focus();
      link.closest("li").scrollIntoView({ block: "nearest" });
    }
  };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (event.target.closest("input, textarea, select")) return;
    if (event.key === "j") go(1);
    else if (event.key === "k") go(-1);
    else if (event.key === "/" && search) search.focus();
    else return;
    event.preventDefault();
  });
})();
