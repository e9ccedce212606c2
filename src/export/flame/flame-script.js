// Runs inside the SVG: zoom by click, search, details of the frame under the pointer. Without it the picture is complete and still.
(() => {
	const SVG = "http://www.w3.org/2000/svg";
	const HTML = "http://www.w3.org/1999/xhtml";
	const svg = document.documentElement.localName === "svg" ? document.documentElement : document.querySelector("svg");
	const number = (name) => Number(svg.dataset[name]);
	const margin = number("margin");
	const column = number("column");
	const total = number("total");
	const height = number("height");
	const minimum = number("min-width") || 600;
	const details = svg.querySelector("#details");
	const frames = Array.from(svg.querySelectorAll("g.f"), (g) => {
		const [start, value, depth] = g.dataset.p.split(" ").map(Number);
		const text = g.querySelector("text");
		return {
			g,
			rect: g.querySelector("rect"),
			text,
			start,
			value,
			depth,
			label: g.dataset.l ?? text.textContent,
			full: g.querySelector("title").textContent,
		};
	});
	let zoom = frames[0];
	let width = number("width");
	let query = "";

	const columnsOf = (character) => (character.codePointAt(0) >= 0x1100 ? 2 : 1);
	// As in the static picture: whole, or cut with an ellipsis, or nothing.
	const fit = (label, columns) => {
		const characters = Array.from(label);
		if (characters.reduce((sum, each) => sum + columnsOf(each), 0) <= columns) return label;
		if (columns < 3) return "";
		let used = 1;
		let end = 0;
		while (end < characters.length && used + columnsOf(characters[end]) <= columns)
			used += columnsOf(characters[end++]);
		return `${characters.slice(0, end).join("")}…`;
	};

	const layout = () => {
		const room = width - 2 * margin;
		for (const frame of frames) {
			const around =
				frame.depth < zoom.depth && frame.start <= zoom.start && frame.start + frame.value >= zoom.start + zoom.value;
			const inside =
				frame.depth >= zoom.depth && frame.start >= zoom.start && frame.start + frame.value <= zoom.start + zoom.value;
			frame.g.style.display = around || inside ? "" : "none";
			frame.g.classList.toggle("around", around);
			if (!around && !inside) continue;
			const x = around ? margin : margin + ((frame.start - zoom.start) / zoom.value) * room;
			const w = around ? room : (frame.value / zoom.value) * room;
			frame.rect.setAttribute("x", x);
			frame.rect.setAttribute("width", w - Math.min(1, w / 5));
			frame.rect.setAttribute("rx", Math.min(2.5, w / 4));
			frame.text.setAttribute("x", x + 5);
			frame.text.textContent = fit(frame.label, Math.floor((w - 10) / column));
		}
		reset.hidden = zoom === frames[0];
	};

	const search = () => {
		const wanted = query.toLowerCase();
		let matched = 0;
		let end = -1;
		let count = 0;
		// Frames come in the order of their beginnings, parents first: what lies inside a match is counted with it.
		for (const frame of frames) {
			const hit = wanted !== "" && frame.depth > 0 && frame.full.split("\n")[0].toLowerCase().includes(wanted);
			frame.g.classList.toggle("hit", hit);
			frame.g.classList.toggle("miss", wanted !== "" && !hit);
			if (!hit) continue;
			count++;
			if (frame.start < end) continue;
			matched += frame.value;
			end = frame.start + frame.value;
		}
		result.textContent = wanted === "" ? "" : `${count} frames, ${((matched * 100) / total).toFixed(1)} %`;
	};

	const show = (frame) => {
		details.textContent = frame === undefined ? "" : frame.full.replace("\n", " · ");
	};

	const zoomTo = (frame) => {
		zoom = frame;
		layout();
	};

	const foreign = document.createElementNS(SVG, "foreignObject");
	const bar = document.createElementNS(HTML, "div");
	const make = (name, attributes) => {
		const element = document.createElementNS(HTML, name);
		for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
		bar.append(element);
		return element;
	};
	const result = make("output", { id: "matched" });
	const reset = make("button", { id: "reset", type: "button" });
	const input = make("input", {
		id: "search",
		type: "search",
		placeholder: "search  /",
		"aria-label": "search frames",
		spellcheck: "false",
	});
	reset.textContent = "reset zoom";
	bar.setAttribute("class", "bar");
	foreign.setAttribute("y", 12);
	foreign.setAttribute("height", 34);
	foreign.append(bar);
	svg.append(foreign);

	const resize = () => {
		if (svg === document.documentElement) width = Math.max(minimum, window.innerWidth);
		svg.setAttribute("width", width);
		svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
		foreign.setAttribute("x", Math.max(margin, width - margin - 480));
		foreign.setAttribute("width", Math.min(480, width - 2 * margin));
		layout();
	};

	const frameOf = (event) => {
		const g = event.target.closest?.("g.f");
		return g ? frames.find((frame) => frame.g === g) : undefined;
	};
	svg.addEventListener("click", (event) => {
		const frame = frameOf(event);
		if (frame) zoomTo(frame);
	});
	svg.addEventListener("pointerover", (event) => show(frameOf(event)));
	reset.addEventListener("click", () => zoomTo(frames[0]));
	input.addEventListener("input", () => {
		query = input.value;
		search();
	});
	window.addEventListener("keydown", (event) => {
		if (event.key === "Escape") {
			input.value = query = "";
			search();
			zoomTo(frames[0]);
			input.blur();
		} else if (event.key === "/" && document.activeElement !== input) {
			event.preventDefault();
			input.focus();
		}
	});
	window.addEventListener("resize", resize);
	if (frames.length > 0) resize();
})();
