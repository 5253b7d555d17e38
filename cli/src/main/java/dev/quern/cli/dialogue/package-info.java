/// Where the turns of a conversation come from: a terminal with an editor, or lines of any stream.
package dev.quern.cli.dialogue;
