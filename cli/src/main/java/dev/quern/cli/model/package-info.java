/// How a model is loaded, and the commands that show what it holds, computes and runs on.
package dev.quern.cli.model;
