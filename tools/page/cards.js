"use strict";
/* What pages with cards of images share: a list to search in, shown a part at a time. */

/* Words are found whatever their case and accents. */
const fold = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();

/* An element with classes and children: strings become text, never markup. */
function make(tag, className, ...children) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  element.append(...children);
  return element;
}

function makeImage(source, description) {
  const image = make("img");
  image.src = source;
  image.alt = description;
  image.decoding = "async";
  return image;
}

/* What leads to the file itself; the content alone where there is no link. */
function makeLink(link, content) {
  if (!link) return content;
  const element = make("a", "", content);
  element.href = link;
  return element;
}

/* Shows `items` in #cards: those whose `text` (folded) has the words of #search, in the order of `compare`, each as
   `card(item)` makes it, PAGE more with each click on #more; #count tells how many. Returns what shows them anew. */
function cardList(items, card, compare) {
  const PAGE = 30;
  const $ = (id) => document.getElementById(id);
  let found = [];
  let shown = 0;

  function showMore() {
    const next = found.slice(shown, shown + PAGE);
    $("cards").append(...next.map(card));
    shown += next.length;
    $("more").hidden = shown >= found.length;
    $("count").textContent = found.length ? `${shown} of ${found.length} images shown` : "No image has these words.";
  }

  function update() {
    const words = fold($("search").value).split(/\s+/).filter(Boolean);
    found = items.filter((item) => words.every((word) => item.text.includes(word)));
    found.sort(compare);
    shown = 0;
    $("cards").replaceChildren();
    showMore();
  }

  $("search").addEventListener("input", update);
  $("search").form.addEventListener("submit", (event) => event.preventDefault());
  $("more").addEventListener("click", () => {
    const before = shown;
    showMore();
    const next = $("cards").children[before];
    if (next) {
      next.tabIndex = -1;
      next.focus({ preventScroll: true });
    }
  });
  return update;
}
