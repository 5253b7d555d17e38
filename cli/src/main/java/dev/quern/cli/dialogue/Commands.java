package dev.quern.cli.dialogue;

import java.util.List;

/// Words that begin a turn which is not said to the model.
///
/// @param names all of them
/// @param withFile those that are followed by a file's name
public record Commands(List<String> names, List<String> withFile) {}
