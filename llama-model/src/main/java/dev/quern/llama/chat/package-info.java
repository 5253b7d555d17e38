/// Conversations with tools over an engine, for what serves a model to others: a request is a list
/// of messages, tools and options, a reply is text and calls of tools, whatever the model's
/// template writes them like. Begin with [dev.quern.llama.chat.ChatEngine].
package dev.quern.llama.chat;
