import type { ToolkitElements } from '../toolkit.ts';

type Tags = HTMLElementTagNameMap & ToolkitElements;
type Attributes = Readonly<Record<string, string | number | boolean | undefined>>;
type Child = Node | string | undefined | false;

function setAttributes(element: Element, attributes: Attributes): void {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === false) continue;
    element.setAttribute(name, value === true ? '' : String(value));
  }
}

/** Makes an element. Text is text: nothing that comes from data is read as HTML. */
export function h<T extends keyof Tags>(tag: T, attributes: Attributes = {}, ...children: Child[]): Tags[T] {
  const element = document.createElement(tag) as Tags[T];
  setAttributes(element, attributes);
  element.append(
    ...children.filter((child): child is Node | string => child !== undefined && child !== false),
  );
  return element;
}

/** Makes an SVG element. */
export function svg(tag: string, attributes: Attributes = {}, ...children: Child[]): SVGElement {
  const element = document.createElementNS('http://www.w3.org/2000/svg', tag);
  setAttributes(element, attributes);
  element.append(
    ...children.filter((child): child is Node | string => child !== undefined && child !== false),
  );
  return element;
}

/** A codicon; it says nothing to screen readers, so a text or a label stands beside it. */
export function icon(name: string): HTMLElement {
  return h('span', { class: `codicon codicon-${name}`, 'aria-hidden': 'true' });
}
