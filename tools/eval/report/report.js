"use strict";
(() => {
  const PAGE = 30;
  const data = JSON.parse(document.getElementById("data").textContent);
  const search = document.getElementById("search");
  const sort = document.getElementById("sort");
  const order = document.getElementById("order");
  const cards = document.getElementById("cards");
  const count = document.getElementById("count");
  const more = document.getElementById("more");
  const fold = (text) => text.normalize("NFKC").toLowerCase();

  data.images.forEach((image) => {
    image.text = fold([image.id, image.caption, ...(image.made_up || []), ...image.references].join("\n"));
  });
  data.keys.forEach((key, i) => sort.add(new Option(key, i)));
  sort.add(new Option("file name", -1));
  sort.value = data.first;

  /* An element with classes and children: strings become text, never markup. */
  function make(tag, className, ...children) {
    const element = document.createElement(tag);
    if (className) element.className = className;
    element.append(...children);
    return element;
  }

  /* What the caption names and no reference does. */
  function madeUp(image) {
    const names = image.made_up || [];
    return names.length ? [make("p", "made-up", `in no reference: ${names.join(", ")}`)] : [];
  }

  function card(image) {
    const item = make("li");
    if (image.thumbnail !== undefined) {
      const picture = make("img");
      picture.src = data.thumbnails[image.thumbnail];
      picture.alt = image.id;
      picture.decoding = "async";
      item.append(picture);
    }
    const caption = make("h3", image.caption ? "" : "empty", image.caption || "(no words)");
    const references = image.references.map((text) => make("li", "", text));
    const chips = image.scores.map((score, i) =>
      make("li", i === Number(sort.value) ? "chosen" : "", `${data.keys[i]} ${score.toFixed(3)}`));
    item.append(make("div", "body", make("p", "name", image.id), caption,
      ...madeUp(image), make("ul", "references", ...references), make("ul", "chips", ...chips)));
    return item;
  }

  /* Ties by name, so that the order is the same everywhere. */
  function compare(a, b) {
    const key = Number(sort.value);
    const sign = order.value === "best" ? -1 : 1;
    const byName = a.id < b.id ? -1 : a.id > b.id ? 1 : 0;
    return key < 0 ? sign * byName : sign * (a.scores[key] - b.scores[key]) || byName;
  }

  let found = [];
  let shown = 0;

  function showMore() {
    const next = found.slice(shown, shown + PAGE);
    cards.append(...next.map(card));
    shown += next.length;
    more.hidden = shown >= found.length;
    count.textContent = found.length ? `${shown} of ${found.length} pictures shown` : "No picture has these words.";
  }

  function update() {
    const words = fold(search.value).split(/\s+/).filter(Boolean);
    found = data.images.filter((image) => words.every((word) => image.text.includes(word)));
    found.sort(compare);
    shown = 0;
    cards.replaceChildren();
    showMore();
  }

  search.addEventListener("input", update);
  sort.addEventListener("change", () => {
    const isName = Number(sort.value) < 0;
    order.options[0].textContent = isName ? "from A to Z" : "worst first";
    order.options[1].textContent = isName ? "from Z to A" : "best first";
    update();
  });
  order.addEventListener("change", update);
  search.form.addEventListener("submit", (event) => event.preventDefault());
  more.addEventListener("click", () => {
    const before = shown;
    showMore();
    const next = cards.children[before];
    if (next) {
      next.tabIndex = -1;
      next.focus({ preventScroll: true });
    }
  });
  update();
})();
