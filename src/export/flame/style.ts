/** Colours and fonts of the SVG: calm ones, for bright and dark screens. */
import type { FlameCategory } from "./category.ts";

/** Shades of each category; which one a frame gets depends on its package. */
export const SHADES = 5;

type Palette = Record<Exclude<FlameCategory, "all">, readonly string[]>;

const BRIGHT: Palette = {
	code: ["#f3cd9b", "#efc08c", "#f1d3ab", "#ecb78a", "#f4d8a4"],
	standard: ["#b9d5c2", "#c5dccb", "#aecdb9", "#c9e0cb", "#b4d2c8"],
	runtime: ["#cfd6df", "#d6dce4", "#c8d0da", "#d2d7de", "#ccd5db"],
	type: ["#417684", "#3b707e", "#477b87", "#3f7381", "#45788c"],
};

const DARK: Palette = {
	code: ["#75512b", "#6c4b28", "#7c5730", "#704c29", "#77572a"],
	standard: ["#375a48", "#3c604d", "#325243", "#416451", "#345950"],
	runtime: ["#414954", "#47505b", "#3b434d", "#454b55", "#3f4a50"],
	type: ["#2f6f7c", "#2a6a78", "#357682", "#2e6b77", "#376f80"],
};

function fills(palette: Palette): string {
	return Object.entries(palette)
		.flatMap(([category, shades]) =>
			shades.map((fill, shade) => `.${category}${shade} rect,rect.${category}${shade}{fill:${fill}}`),
		)
		.join("\n");
}

const FONT = `ui-monospace,"SF Mono",Menlo,Consolas,"DejaVu Sans Mono","Liberation Mono",monospace`;
const HEADING = `system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif`;

/** The style sheet. Without support for media queries the bright colours stay. */
export function flameStyle(): string {
	return `
svg{background:#fcfbf9}
text{font:11px ${FONT};fill:#2d2d33}
.head{font:600 19px ${HEADING}}
.dim{font:12px ${HEADING};fill:#6e6e78}
.key{fill:#6e6e78}
.paper{fill:#fcfbf9}
.f{cursor:pointer}
.f text{pointer-events:none;white-space:pre}
.f:hover rect{stroke:#2d2d33;stroke-width:1}
.all0 rect{fill:#e4e2dd}
${fills(BRIGHT)}
${[0, 1, 2, 3, 4].map((shade) => `.type${shade} text`).join(",")}{fill:#fff}
.inl text{font-style:italic}
.around rect{opacity:.45}
.miss rect{opacity:.3}
.hit rect{fill:#b94a6e}
.hit text{fill:#fff}
.bar{display:flex;gap:10px;align-items:center;justify-content:flex-end;font:12px ${HEADING};color:#6e6e78}
.bar input{width:190px;font:12px ${FONT};padding:5px 9px;border:1px solid #d5d2cb;border-radius:6px;background:#fff;color:#2d2d33}
.bar input:focus{outline:2px solid #417684;outline-offset:-1px}
.bar button{font:12px ${HEADING};padding:5px 10px;border:1px solid #d5d2cb;border-radius:6px;background:#fff;color:#2d2d33;cursor:pointer}
.bar [hidden]{display:none}
@media (prefers-color-scheme:dark){
svg{background:#1c1d22}
text{fill:#e3e1dc}
.dim,.key,.bar{fill:#9a9aa5;color:#9a9aa5}
.paper{fill:#1c1d22}
.f:hover rect{stroke:#e3e1dc}
.all0 rect{fill:#34353c}
.bar input,.bar button{background:#26272e;color:#e3e1dc;border-color:#43444d}
${fills(DARK)}
.hit rect{fill:#b04a6c}
}
`;
}
