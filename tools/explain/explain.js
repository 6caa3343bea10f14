"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const get = (id) => document.getElementById(id);
  const [gridWidth, gridHeight] = data.grid;
  const nCells = gridWidth * gridHeight;
  const photo = get("photo");
  const maps = decodeMaps(data.maps);

  /* An element with classes and children: strings become text, never markup. */
  function make(tag, className, ...children) {
    const element = document.createElement(tag);
    if (className) element.className = className;
    element.append(...children);
    return element;
  }

  function decodeMaps(text) {
    const bytes = atob(text);
    const values = new Float32Array(bytes.length / 2);
    for (let i = 0; i < values.length; i++)
      values[i] = (bytes.charCodeAt(2 * i) | bytes.charCodeAt(2 * i + 1) << 8) / 65535;
    return values;
  }

  const percent = (logprob) => {
    const p = 100 * Math.exp(logprob);
    return p >= 9.95 ? `${p.toFixed(0)} %` : p >= 0.095 ? `${p.toFixed(1)} %` : "< 0.1 %";
  };
  const minus = (number) => number.toFixed(2).replace("-", "\u2212");
  const wordOf = (token) => token === "</s>" ? "end" : token;

  /* ---- paths: words with the predictions that they were chosen from ---- */

  /* Of the tree: a hypothesis of a step, or the end of a caption. */
  const root = { column: 0, children: [], token: "", path: [] };

  function addChild(parent, token, logprob, prediction, row) {
    const entry = { token, logprob, prediction };
    const node = { parent, token, logprob, row, column: parent.column + 1, children: [],
      total: (parent.total || 0) + logprob, path: [...parent.path, entry] };
    parent.children.push(node);
    return node;
  }

  function buildTree() {
    let before = data.steps[0].map(() => root);
    const levels = [before];
    for (let step = 1; step < data.steps.length; step++) {
      before = data.steps[step].map((row, i) =>
        addChild(before[row.p], row.t, row.l, data.steps[step - 1][row.p], i));
      levels.push(before);
    }
    data.captions.forEach((caption, rank) => {
      const last = caption.rows.length - 1;
      const parent = levels[last][caption.rows[last]];
      const [token, logprob] = caption.tokens[last];
      const leaf = addChild(parent, token, logprob, data.steps[last][caption.rows[last]], null);
      leaf.caption = rank;
      caption.leaf = leaf;
      for (let node = leaf; node; node = node.parent) node.best = Math.min(node.best ?? rank, rank);
    });
    return levels;
  }
  const levels = buildTree();

  /* ---- attention ---- */

  /* What is shown of the heads: all, those of a layer, or one of them. */
  const views = [];
  for (let layer = data.layers - 1; layer >= 0; layer--) {
    const first = layer * data.heads;
    views.push({ layer, head: null, name: `layer ${layer + 1}, all heads`,
      heads: Array.from({ length: data.heads }, (_, head) => first + head) });
    for (let head = 0; head < data.heads; head++)
      views.push({ layer, head, name: `layer ${layer + 1}, head ${head + 1}`, heads: [first + head] });
  }
  views.push({ layer: null, head: null, name: "all layers and heads",
    heads: Array.from({ length: data.layers * data.heads }, (_, i) => i) });

  function cellsOf(prediction, view) {
    const cells = new Float32Array(nCells);
    if (!prediction || prediction.m === undefined) return cells;
    const base = prediction.m * data.layers * data.heads * nCells;
    for (const head of view.heads)
      for (let cell = 0; cell < nCells; cell++)
        cells[cell] += maps[base + head * nCells + cell] / view.heads.length;
    return cells;
  }

  /* ---- colours: those of heat_map.c ---- */

  const COLOURS = [[60, 15, 110], [150, 38, 103], [221, 81, 58], [250, 164, 26], [252, 240, 150]];
  const mix = (a, b, share) => a + (b - a) * share;

  function colourOf(strength) {
    const place = strength * (COLOURS.length - 1);
    const first = Math.min(Math.floor(place), COLOURS.length - 2);
    return [0, 1, 2].map((c) => mix(COLOURS[first][c], COLOURS[first + 1][c], place - first));
  }
  const TABLE = Array.from({ length: 256 }, (_, i) => colourOf(i / 255));

  /* For each pixel of `size`, the two cells it lies between and its share of the second. */
  function between(size, nCellsAlong, isBlocky) {
    return Array.from({ length: size }, (_, at) => {
      const place = (at + 0.5) * nCellsAlong / size - 0.5;
      const inside = Math.min(Math.max(place, 0), nCellsAlong - 1);
      const first = isBlocky ? Math.round(inside) : Math.floor(inside);
      return [first, Math.min(first + 1, nCellsAlong - 1), isBlocky ? 0 : inside - first];
    });
  }

  const heat = get("heat");
  const pixels = { width: Number(photo.getAttribute("width")), height: Number(photo.getAttribute("height")) };

  function takePhoto() {
    heat.width = pixels.width;
    heat.height = pixels.height;
    const context = heat.getContext("2d", { willReadFrequently: true });
    context.drawImage(photo, 0, 0, pixels.width, pixels.height);
    pixels.photo = context.getImageData(0, 0, pixels.width, pixels.height).data;
    pixels.context = context;
  }

  function paint(cells) {
    const largest = Math.max(...cells);
    const isBlocky = get("cells").checked;
    const xs = between(pixels.width, gridWidth, isBlocky);
    const ys = between(pixels.height, gridHeight, isBlocky);
    const image = pixels.context.createImageData(pixels.width, pixels.height);
    const out = image.data;
    for (let y = 0, at = 0; y < pixels.height; y++) {
      const [above, below, down] = ys[y];
      for (let x = 0; x < pixels.width; x++, at += 4) {
        const [left, right, along] = xs[x];
        const value = mix(mix(cells[above * gridWidth + left], cells[above * gridWidth + right], along),
          mix(cells[below * gridWidth + left], cells[below * gridWidth + right], along), down);
        const strength = largest > 0 ? Math.min(value / largest, 1) : 0;
        const colour = TABLE[Math.round(255 * strength)];
        const grey = 0.299 * pixels.photo[at] + 0.587 * pixels.photo[at + 1] + 0.114 * pixels.photo[at + 2];
        const light = Math.sqrt(strength);
        for (let c = 0; c < 3; c++) {
          const own = pixels.photo[at + c];
          out[at + c] = mix(mix(mix(own, grey, 0.5) * 0.68, own, light), colour[c], 0.62 * strength);
        }
        out[at + 3] = 255;
      }
    }
    pixels.context.putImageData(image, 0, 0);
  }

  /* ---- what is shown ---- */

  const state = { path: [], leaf: null, index: 0, view: views[0] };
  let pinned = 0; /* the word to go back to when the pointer leaves */

  const nameOfPlace = (cell) => {
    const row = Math.floor(cell / gridWidth) / (gridHeight - 1 || 1);
    const column = cell % gridWidth / (gridWidth - 1 || 1);
    const vertical = row < 0.34 ? "top" : row > 0.66 ? "bottom" : "";
    const horizontal = column < 0.34 ? "left" : column > 0.66 ? "right" : "";
    return [vertical, horizontal].filter(Boolean).join(" ") || "middle";
  };

  function showReading(entry, cells) {
    const reading = get("reading");
    if (entry.prediction.m === undefined) {
      reading.textContent = "Attention is shown only for hypotheses that led to a caption.";
      return;
    }
    const strongest = cells.indexOf(Math.max(...cells));
    reading.replaceChildren(make("b", "", wordOf(entry.token)), `: ${state.view.name}; most from the ${nameOfPlace(strongest)}, ` +
      `${(100 * cells[strongest]).toFixed(0)} % from one cell of ${nCells}`);
  }

  function alternativeItem(token, logprob, isChosen, isLater) {
    const bar = make("i");
    bar.style.width = `${100 * Math.exp(logprob)}%`;
    const item = make("li", `${isChosen ? "is-chosen" : ""} ${isLater ? "is-later" : ""}`.trim(),
      make("span", "word", wordOf(token)), make("span", "bar", bar), make("span", "share", percent(logprob)));
    if (isChosen) item.querySelector(".word").append(make("span", "skip", " (chosen)"));
    return item;
  }

  function showChoice(entry) {
    const { a: alternatives, e: entropy } = entry.prediction;
    get("choice-word").textContent = `${wordOf(entry.token)}, ${percent(entry.logprob)}`;
    get("choice-openness").textContent = entropy === undefined ? "Alternatives are shown only for hypotheses that led to a caption."
      : `As uncertain as a choice among ${Math.exp(entropy).toFixed(1)} equally likely words.`;
    const items = (alternatives || []).map(([token, logprob]) =>
      alternativeItem(token, logprob, token === entry.token, false));
    if (alternatives && !alternatives.some(([token]) => token === entry.token))
      items.push(alternativeItem(entry.token, entry.logprob, true, true));
    get("alternatives").replaceChildren(...items);
  }

  function show(index) {
    state.index = index;
    const entry = state.path[index];
    const cells = cellsOf(entry.prediction, state.view);
    [...get("words").children].forEach((button, i) => button.setAttribute("aria-pressed", i === index));
    paint(cells);
    showReading(entry, cells);
    showChoice(entry);
    paintHeads(entry.prediction);
  }

  function pin(index) {
    pinned = index;
    [...get("words").children].forEach((button, i) => { button.tabIndex = i === index ? 0 : -1; });
    show(index);
    markTree();
  }

  /* ---- words ---- */

  function wordButton(entry, index) {
    const button = make("button", entry.token === "</s>" ? "end" : "", wordOf(entry.token));
    button.type = "button";
    button.style.setProperty("--probability", `${100 * Math.exp(entry.logprob)}%`);
    button.title = percent(entry.logprob);
    button.addEventListener("pointerenter", (event) => { if (event.pointerType === "mouse") show(index); });
    button.addEventListener("focus", () => pin(index));
    button.addEventListener("click", () => pin(index));
    return button;
  }

  function moveAmong(buttons, event, previous, next) {
    const at = buttons.indexOf(document.activeElement);
    const to = event.key === previous ? at - 1 : event.key === next ? at + 1 : event.key === "Home" ? 0
      : event.key === "End" ? buttons.length - 1 : at;
    if (to === at || !buttons[to]) return;
    event.preventDefault();
    buttons[to].focus();
  }
  get("words").addEventListener("keydown", (event) =>
    moveAmong([...get("words").children], event, "ArrowLeft", "ArrowRight"));
  get("words").addEventListener("pointerleave", () => show(pinned));

  function showNote(node) {
    const note = get("note");
    note.hidden = node.caption !== undefined;
    if (note.hidden) return;
    const next = data.steps[node.column];
    const weakest = levels[node.column + 1] && Math.min(...levels[node.column + 1].map((n) => n.total));
    const best = next && next[node.row] && next[node.row].a && next[node.row].a[0];
    if (node.children.length) note.textContent = "This hypothesis was kept.";
    else if (best && weakest !== undefined && node.total + best[1] < weakest)
      note.textContent = `Dropped here: with its best next word, \u201c${wordOf(best[0])}\u201d, its log-probability would have been ` +
        `${minus(node.total + best[1])}; the weakest hypothesis that was kept has ${minus(weakest)}.`;
    else note.textContent = "Dropped here: there were better ones.";
  }

  /* Shows the hypothesis or caption that ends at a node of the tree. */
  function choose(node, index) {
    state.path = node.path;
    state.leaf = node;
    get("words").replaceChildren(...node.path.map(wordButton));
    for (const input of document.querySelectorAll("#captions input")) input.checked = Number(input.value) === node.caption;
    showNote(node);
    pin(index);
  }

  /* ---- captions ---- */

  data.captions.forEach((caption, rank) => {
    const input = make("input");
    input.type = "radio";
    input.name = "caption";
    input.value = rank;
    input.addEventListener("change", () => choose(caption.leaf, Math.min(pinned, caption.leaf.path.length - 1)));
    get("captions").append(make("label", "", input, make("span", "rank", `${rank + 1}`),
      make("span", "text", caption.ended ? caption.text : `${caption.text} \u2026`),
      make("span", "score", `score ${minus(caption.score)}`)));
  });

  /* ---- heads ---- */

  const headCanvases = [];

  function headInput(view) {
    const input = make("input");
    const canvas = make("canvas");
    input.type = "radio";
    input.name = "view";
    input.checked = view === state.view;
    input.setAttribute("aria-label", view.name);
    input.addEventListener("change", () => { state.view = view; show(state.index); });
    canvas.width = gridWidth;
    canvas.height = gridHeight;
    headCanvases.push([canvas, view]);
    const label = make("label", view.head === null ? "is-mean" : "", input, canvas);
    label.title = view.name;
    return label;
  }

  function buildHeads() {
    const heads = get("heads");
    heads.style.gridTemplateColumns = `auto minmax(1.9rem, 3.6rem) repeat(${data.heads}, minmax(1.35rem, 2.9rem))`;
    heads.style.setProperty("--shape", Math.min(Math.max(pixels.width / pixels.height, 0.8), 1.25));
    heads.append(make("span", "name"), make("span", "column", "all"));
    for (let head = 0; head < data.heads; head++) heads.append(make("span", "column", `${head + 1}`));
    for (const view of views) {
      if (view.head === null) heads.append(make("span", "name", view.layer === null ? "All layers" : `Layer ${view.layer + 1}`));
      heads.append(headInput(view));
    }
  }

  function paintHeads(prediction) {
    for (const [canvas, view] of headCanvases) {
      const cells = cellsOf(prediction, view);
      const largest = Math.max(...cells) || 1;
      const context = canvas.getContext("2d");
      const image = context.createImageData(gridWidth, gridHeight);
      cells.forEach((cell, i) => image.data.set([...TABLE[Math.round(255 * cell / largest)], 255], 4 * i));
      context.putImageData(image, 0, 0);
    }
  }

  /* ---- tree ---- */

  const LANE = 38, GAP = 34;
  const nodes = [];

  /* The children of a node: first the one whose line goes on straight. */
  function inOrder(node) {
    const depth = (n) => 1 + Math.max(0, ...n.children.map(depth));
    return [...node.children].sort((a, b) => (a.best ?? 1e9) - (b.best ?? 1e9) || depth(b) - depth(a) || b.total - a.total);
  }

  /* Lines of words get lanes: each the first below its parent's that is free that far. */
  function placeNodes() {
    const taken = [];
    const isFree = (lane, from, to) => (taken[lane] || []).every(([a, b]) => to < a || from > b);
    const place = (first, least) => {
      const line = [];
      for (let node = first; node; node = inOrder(node)[0]) line.push(node);
      const from = first.column, to = line[line.length - 1].column;
      let lane = least;
      while (!isFree(lane, from, to)) lane++;
      (taken[lane] = taken[lane] || []).push([from, to]);
      line.forEach((node) => { node.lane = lane; if (node !== root) nodes.push(node); });
      const branches = line.reverse().flatMap((node) => inOrder(node).slice(1));
      for (const isKept of [true, false])
        branches.filter((node) => (node.best !== undefined) === isKept).forEach((node) => place(node, lane + 1));
    };
    place(root, 0);
    return taken.length;
  }

  const labelOf = (node) => node.caption === undefined ? wordOf(node.token)
    : `${node.token === "</s>" ? "end" : node.token} \u00b7 ${node.caption + 1}`;

  /* Left edges of the columns, as wide as their widest word. */
  function columnEdges() {
    const ruler = document.createElement("canvas").getContext("2d");
    ruler.font = `14px ${getComputedStyle(document.body).fontFamily}`;
    const widths = [];
    nodes.forEach((node) => {
      node.width = Math.ceil(ruler.measureText(labelOf(node)).width) + 26;
      widths[node.column] = Math.max(widths[node.column] || 0, node.width);
    });
    const edges = [0, 0];
    for (let column = 1; column < widths.length; column++) edges[column + 1] = edges[column] + widths[column] + GAP;
    return edges;
  }

  /* Lines bend in the gap before the next column, where no word is in the way. */
  const svgPath = (node) => {
    const line = document.createElementNS("http://www.w3.org/2000/svg", "path");
    const y = node.lane * LANE + 14, x = node.left;
    if (node.parent !== root) {
      const fromX = node.parent.left + node.parent.width, fromY = node.parent.lane * LANE + 14;
      const bend = x - GAP + 4;
      line.setAttribute("d", fromY === y ? `M${fromX} ${y}H${x}`
        : `M${fromX} ${fromY}H${bend}C${x - 8} ${fromY} ${bend + 4} ${y} ${x} ${y}`);
    }
    return line;
  };

  function treeButton(node) {
    const button = make("button", node.caption === undefined ? "" : "is-end", labelOf(node));
    button.type = "button";
    button.tabIndex = -1;
    button.style.left = `${node.left}px`;
    button.style.top = `${node.lane * LANE}px`;
    button.style.width = `${node.width}px`;
    button.title = `${percent(node.logprob)}; log-probability so far ${minus(node.total)}`;
    button.addEventListener("click", () => {
      const index = node.path.length - 1;
      if (state.path[index] === node.path[index]) pin(index);
      else choose(node, index);
    });
    return button;
  }

  function buildTreeView() {
    const nLanes = placeNodes();
    const edges = columnEdges();
    const tree = get("tree");
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    tree.style.width = `${edges[edges.length - 1]}px`;
    tree.style.height = `${nLanes * LANE}px`;
    svg.setAttribute("width", "100%");
    svg.setAttribute("height", "100%");
    svg.setAttribute("aria-hidden", "true");
    nodes.forEach((node) => { node.left = edges[node.column]; });
    nodes.forEach((node) => { node.line = svgPath(node); svg.append(node.line); });
    nodes.sort((a, b) => a.column - b.column || a.lane - b.lane);
    nodes.forEach((node) => { node.button = treeButton(node); });
    tree.append(svg, ...nodes.map((node) => node.button));
  }

  function markTree() {
    const current = new Set();
    for (let node = state.leaf; node !== root; node = node.parent) current.add(node);
    nodes.forEach((node) => {
      const isCurrent = current.has(node);
      for (const element of [node.button, node.line]) {
        element.classList.toggle("is-current", isCurrent);
        element.classList.toggle("is-kept", !isCurrent && node.best !== undefined);
        element.classList.toggle("is-gone", !isCurrent && node.best === undefined);
      }
      const isPinned = isCurrent && node.column === pinned + 1;
      node.button.tabIndex = isPinned ? 0 : -1;
      node.button.setAttribute("aria-pressed", isPinned);
      if (isCurrent) node.line.parentNode.append(node.line);
    });
  }

  get("tree").addEventListener("keydown", (event) => {
    const node = nodes.find((n) => n.button === document.activeElement);
    if (!node) return;
    const column = nodes.filter((n) => n.column === node.column);
    const at = column.indexOf(node);
    const to = event.key === "ArrowLeft" ? node.parent : event.key === "ArrowRight" ? inOrder(node)[0]
      : event.key === "ArrowUp" ? column[at - 1] : event.key === "ArrowDown" ? column[at + 1] : null;
    if (!to || to === root) return;
    event.preventDefault();
    to.button.focus();
    to.button.scrollIntoView({ block: "nearest", inline: "nearest" });
  });

  /* Samples are drawn independently: nothing was dropped. */
  if (data.sampled) {
    get("tree-hint").textContent = "Each caption was drawn word by word; common beginnings are shown once. " +
      "Choose a word to see the words before it; arrow keys move along the branches.";
    get("legend").hidden = true;
  }

  /* Shown when more than the frame's padding is out of sight, as on phones. */
  function hintAtScrolling() {
    const frame = get("tree-scroll");
    get("scroll-hint").hidden = frame.scrollWidth <= frame.clientWidth + 32;
  }

  /* ---- start ---- */

  /* The photo may fill its column, and never more of the window than leaves room for words. */
  function fitFrame() {
    const share = matchMedia("(max-width: 56rem)").matches ? 0.38 : 0.72;
    get("frame").style.maxWidth = `${Math.round(innerHeight * share * pixels.width / pixels.height)}px`;
    get("frame").style.aspectRatio = `${pixels.width} / ${pixels.height}`;
  }

  get("show").addEventListener("change", () => { heat.hidden = !get("show").checked; });
  get("cells").addEventListener("change", () => show(state.index));
  addEventListener("resize", () => {
    fitFrame();
    hintAtScrolling();
  });

  /* To begin with: the longer word with the sharpest look. */
  function firstWord(path) {
    const sharpness = path.map((entry) => entry.token === "</s>" ? 0
      : Math.max(...cellsOf(entry.prediction, state.view)) * (entry.token.length > 2 ? 1 : 0.1));
    return sharpness.indexOf(Math.max(...sharpness));
  }

  photo.decode().then(() => {
    takePhoto();
    fitFrame();
    buildHeads();
    buildTreeView();
    hintAtScrolling();
    const best = data.captions[0].leaf;
    choose(best, firstWord(best.path));
    document.documentElement.dataset.ready = "yes";
  });
})();
