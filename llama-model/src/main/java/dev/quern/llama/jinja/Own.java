package dev.quern.llama.jinja;

/// A text among the values given to a template that counts as the template's own, such as the name
/// of a role.
public record Own(String text) {}
