// The editor's side: it alone reaches the kernel; to the frame of the outputs it speaks by postMessage, and only what
// can be cloned goes that way: JSON and ArrayBuffers.
const frame = document.getElementById("outputs");
const socket = new WebSocket(`ws://${location.host}/kernel`);
socket.binaryType = "arraybuffer";
const waiting = [];
let ready = false;

// One message: u32 length of the JSON, the JSON, then for each buffer its u32 length and itself.
function unpack(data) {
  const view = new DataView(data);
  let at = 4 + view.getUint32(0, true);
  const message = JSON.parse(new TextDecoder().decode(data.slice(4, at)));
  const buffers = [];
  while (at < data.byteLength) {
    const end = at + 4 + view.getUint32(at, true);
    buffers.push(data.slice(at + 4, end));
    at = end;
  }
  return { message, buffers };
}

function pack(message, buffers) {
  const text = new TextEncoder().encode(JSON.stringify(message));
  const parts = [Uint32Array.of(text.length), text];
  for (const buffer of buffers) parts.push(Uint32Array.of(buffer.byteLength), buffer);
  return new Blob(parts).arrayBuffer();
}

let order = Promise.resolve();
addEventListener("message", ({ data, origin }) => {
  if (origin !== "null") throw new Error(`the outputs are not of an origin of their own: ${origin}`);
  if (data === "ready") {
    ready = true;
    for (const each of waiting.splice(0)) frame.contentWindow.postMessage(each, "*");
    return;
  }
  const { message, buffers } = data;
  for (const each of buffers) if (!(each instanceof ArrayBuffer)) throw new Error("only ArrayBuffers are cloned");
  // In order, and later.
  order = order.then(async () => socket.send(await pack(message, buffers)));
});
socket.onmessage = ({ data }) => {
  const message = unpack(data);
  if (ready) frame.contentWindow.postMessage(message, "*");
  else waiting.push(message);
};
fetch("outputs.html").then(async (answer) => (frame.srcdoc = await answer.text()));
