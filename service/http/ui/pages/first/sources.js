// What the first run offers to ask, and a camera's settings as its form has them.
export const kFirst = {
  caption: { label: 'What happens?', prompt: 'caption en', task: { task: 'caption', frames: 16, span: '4s', every: '4s' } },
  person: { label: 'is there a person?', prompt: 'is there a person?', type: 'yes_no', task: { task: 'question', name: 'person', question: 'is there a person?', type: 'yes_no', frames: 1, every: '2s' } },
  entered: { label: 'did anything enter?', prompt: 'did anything enter?', type: 'yes_no', task: { task: 'question', name: 'entered', question: 'did anything enter?', type: 'yes_no', frames: 16, span: '4s', every: '4s' } },
};
// The simulated street, a film that ships.
export const kStreet = 'street:';

export function settingsOf(source, fields) {
  const settings = { name: fields.name.trim(), url: source === 'street' ? kStreet : fields.url.trim(), tasks: [kFirst[fields.preset].task] };
  if (source === 'camera' && fields.username) settings.username = fields.username;
  if (source === 'camera' && fields.password) settings.password = fields.password;
  return settings;
}
