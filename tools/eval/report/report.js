(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const sort = document.getElementById("sort");
  const order = document.getElementById("order");

  data.images.forEach((image) => {
    image.text = fold([image.id, image.caption, ...(image.made_up || []), ...image.references].join("\n"));
  });
  data.keys.forEach((key, i) => sort.add(new Option(key, i)));
  sort.add(new Option("file name", -1));
  sort.value = data.first;

  /* What the caption names and no reference does. */
  function madeUp(image) {
    const names = image.made_up || [];
    return names.length ? [make("p", "made-up", `in no reference: ${names.join(", ")}`)] : [];
  }

  function card(image) {
    const item = make("li");
    if (image.thumbnail !== undefined) item.append(makeLink(image.link, makeImage(data.thumbnails[image.thumbnail], image.references[0] || image.id)));
    const caption = make("h3", image.caption ? "" : "empty", image.caption || "(no words)");
    const references = image.references.map((text) => make("li", "", text));
    const chips = image.scores.map((score, i) =>
      make("li", i === Number(sort.value) ? "chosen" : "", `${data.keys[i]} ${score.toFixed(3)}`));
    item.append(make("div", "body", make("p", "name", makeLink(image.link, image.id)), caption,
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

  const update = cardList(data.images, card, compare);
  sort.addEventListener("change", () => {
    const isName = Number(sort.value) < 0;
    order.options[0].textContent = isName ? "from A to Z" : "worst first";
    order.options[1].textContent = isName ? "from Z to A" : "best first";
    update();
  });
  order.addEventListener("change", update);
  update();
})();
