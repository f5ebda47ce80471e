import { Directive, directive } from '../vendor/lit-html/directive.js';
import { noChange } from '../lit.js';

// Geometry that the data say: <span ${at({left: '12%'})}>. The policy forbids style attributes, not the object model.
export const at = directive(class extends Directive {
  update({ element }, [places]) {
    for (const [name, value] of Object.entries(places)) if (element.style[name] !== value) element.style[name] = value;
    return noChange;
  }
  render() { return noChange; }
});

// Calls what it is given with the element, once: <dialog ${made(element => …)}>.
export const made = directive(class extends Directive {
  update({ element }, [call]) {
    if (!this.done) { this.done = true; queueMicrotask(() => call(element)); }
    return noChange;
  }
  render() { return noChange; }
});
