// The policy lets no data: URL be a picture: its bytes become an object URL, which whoever asked for it revokes.
export function objectUrl(text) {
  const [, type, base64] = /^data:([\w/+.-]+);base64,(.*)$/s.exec(text) ?? [];
  if (!type) return '';
  const bytes = Uint8Array.from(atob(base64), character => character.charCodeAt(0));
  return URL.createObjectURL(new Blob([bytes], { type }));
}
