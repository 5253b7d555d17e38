/// The command line: [dev.quern.cli.Main], and how it makes commands. A command lies in the room
/// that its subject names; rooms never use this package.
package dev.quern.cli;
