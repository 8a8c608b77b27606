// patch makes a region show new HTML while what stays the same stays the same element: focus, scroll place, a finger
// held down and running animations survive. Custom elements keep their own content; they only get new attributes.
export function patch(region, html, whole) {
  const next = document.createElement("template");
  next.innerHTML = html;
  if (whole) region.replaceChildren(next.content);
  else children(region, next.content);
}

const isOwn = (node) => node.nodeType === 1 && node.localName.includes("-");
const keyOf = (node) => node.nodeType === 1 ? node.dataset?.act ?? node.id : "";

function alike(a, b) {
  return a.nodeType === b.nodeType && a.nodeName === b.nodeName && keyOf(a) === keyOf(b);
}

function children(from, to) {
  let old = from.firstChild;
  for (const want of [...to.childNodes]) {
    let match = old;
    while (match && !alike(match, want)) match = match.nextSibling;
    if (!match) {
      from.insertBefore(want, old);
      continue;
    }
    while (old !== match) {
      const gone = old;
      old = old.nextSibling;
      gone.remove();
    }
    old = match.nextSibling;
    same(match, want);
  }
  while (old) {
    const gone = old;
    old = old.nextSibling;
    gone.remove();
  }
}

function same(old, want) {
  if (old.nodeType !== 1) {
    if (old.nodeValue !== want.nodeValue) old.nodeValue = want.nodeValue;
    return;
  }
  for (const { name } of [...old.attributes]) if (!want.hasAttribute(name)) old.removeAttribute(name);
  for (const { name, value } of want.attributes) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  if (!isOwn(old)) children(old, want);
}
