/// How weights lie in panels, of blocks and of BF16 pairs: layouts, the table of formats, code that
/// packs them, and the loops of all products over them.
package dev.quern.provider.x86.linear.panel;
