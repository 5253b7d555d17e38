/// What all commands share: the words they are given, streams, output files, and what ends a
/// command with which exit code. The only room that touches the streams of the process.
package dev.quern.cli.console;
