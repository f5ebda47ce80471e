// Server-sent events of a response's body, one by one: {type, data, id}. Comments (pings) come as type ''.
export async function* readEvents(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      rest += value;
      const blocks = rest.split(/\r?\n\r?\n/);
      rest = blocks.pop();
      for (const block of blocks) {
        const event = { type: 'message', data: '', id: null };
        let named = false;
        for (const line of block.split(/\r?\n/)) {
          const at = line.indexOf(':');
          if (at === 0) continue;
          const name = at < 0 ? line : line.slice(0, at), text = at < 0 ? '' : line.slice(at + 1).replace(/^ /, '');
          if (name === 'event') event.type = text;
          else if (name === 'data') { event.data += (event.data && '\n') + text; named = true; }
          else if (name === 'id') event.id = text;
        }
        if (!named) event.type = '';
        yield event;
      }
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}
