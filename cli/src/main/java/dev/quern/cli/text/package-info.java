/// Text in and out: the commands that continue it, answer it, or cut it into tokens.
package dev.quern.cli.text;
