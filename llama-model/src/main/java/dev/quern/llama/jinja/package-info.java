/// Chat templates in Jinja, run as transformers runs them: Jinja2's language with `trim_blocks` and
/// `lstrip_blocks`, in an immutable sandbox. Begin with [dev.quern.llama.jinja.Template]. Internal:
/// not exported.
///
/// A template is a stranger's program. It reaches values of its own kinds and no Java object, its
/// steps, characters and nesting are bounded, and what it asks for and this interpreter lacks is
/// refused with the line. Of each character of its output it is known whether the template wrote it
/// or was given it.
package dev.quern.llama.jinja;
