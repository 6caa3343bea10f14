(() => {
  const FIRST_FAILURES = 12;
  const data = JSON.parse(document.getElementById("data").textContent);
  const order = document.getElementById("order");

  /* What failed, and how often by each cause. */
  function showFailures() {
    const list = document.getElementById("failures");
    const more = document.getElementById("more-failures");
    const counts = new Map();
    const row = (f) => make("li", "", make("span", "kind", f.kind), make("span", "name", f.name), make("span", "detail", f.detail));
    document.getElementById("failed").hidden = data.failures.length === 0;
    document.getElementById("to-failed").hidden = data.failures.length === 0;
    data.failures.forEach((f) => counts.set(f.kind, (counts.get(f.kind) || 0) + 1));
    document.getElementById("causes").append(...[...counts].sort((a, b) => b[1] - a[1]).map(([kind, n]) => make("li", "", `${n} ${kind}`)));
    list.append(...data.failures.slice(0, FIRST_FAILURES).map(row));
    more.hidden = data.failures.length <= FIRST_FAILURES;
    more.addEventListener("click", () => {
      list.append(...data.failures.slice(FIRST_FAILURES).map(row));
      more.hidden = true;
      list.children[FIRST_FAILURES].tabIndex = -1;
      list.children[FIRST_FAILURES].focus({ preventScroll: true });
    });
  }

  /* A path may be broken after its slashes. */
  function makePath(path, link) {
    const parts = path.split(/(?<=\/)/).flatMap((part) => [part, document.createElement("wbr")]);
    return make("p", "name", makeLink(link, make("span", "", ...parts.slice(0, -1))));
  }

  const isSure = (image) => image.confidence !== undefined;
  const rankOf = (image) => isSure(image) ? image.confidence : image.score;
  const measureOf = (image) =>
    isSure(image) ? `confidence ${image.confidence.toFixed(2)}` : `score ${image.score.toFixed(3).replace("-", "\u2212")}`;

  function card(image) {
    const caption = make("h3", image.caption ? "" : "empty", image.caption || "(no words)");
    const chips = make("ul", "chips", make("li", "", measureOf(image)));
    return make("li", "", makeLink(image.link, makeImage(image.thumbnail, image.caption || image.name)),
      make("div", "body", caption, makePath(image.name, image.link), chips));
  }

  /* Ties by name, so that the order is the same everywhere. */
  function compare(a, b) {
    const byName = a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
    const byRank = order.value === "name" ? 0 : order.value === "low" ? rankOf(a) - rankOf(b) : rankOf(b) - rankOf(a);
    return byRank || byName;
  }

  data.images.forEach((image) => {
    image.text = fold(`${image.name}\n${image.caption}`);
  });
  const update = cardList(data.images, card, compare);
  order.addEventListener("change", update);
  showFailures();
  update();
})();
