// Puts the newest body in its place, and says so when there is none to be had.
const main = document.getElementById("live"), away = document.getElementById("away");
const { poll, events } = document.body.dataset;
let last = Date.now();
const show = (html) => { main.innerHTML = html; last = Date.now(); };
const listen = () => {
  const source = new EventSource(events);
  source.onmessage = (event) => show(event.data);
  source.onerror = async () => {
    if (source.readyState !== EventSource.CLOSED) return; // it tries again by itself
    const there = await fetch(location).catch(() => null);
    if (there?.status === 401) location.reload(); // to sign in
    else setTimeout(listen, 3000);
  };
};
if (events) listen();
setInterval(async () => {
  if (poll) {
    try {
      const answer = await fetch(poll, { signal: AbortSignal.timeout(900) });
      if (answer.ok) show(await answer.text());
      if (answer.status === 401) location.reload();
    } catch { /* told below */ }
  }
  const silent = Math.round((Date.now() - last) / 1000);
  away.hidden = silent < 4;
  away.textContent = `No news for ${silent} s: what is shown is old. It comes back by itself.`;
}, 1000);
