// Whether anybody can see an element: it is on the screen, and the page is not in the background.

// A little before it scrolls into sight, so that the picture is there when it does.
const MARGIN = "100px";

export function watchVisibility(element: Element, changed: (visible: boolean) => void, signal: AbortSignal): void {
  let near = true;
  let told = true;
  const tell = (): void => {
    const visible = near && document.visibilityState === "visible";
    if (visible === told) return;
    told = visible;
    changed(visible);
  };
  const observer = new IntersectionObserver(
    (entries) => {
      near = entries[entries.length - 1]?.isIntersecting ?? near;
      tell();
    },
    { rootMargin: MARGIN },
  );
  observer.observe(element);
  document.addEventListener("visibilitychange", tell, { signal });
  signal.addEventListener("abort", () => observer.disconnect());
  tell();
}
