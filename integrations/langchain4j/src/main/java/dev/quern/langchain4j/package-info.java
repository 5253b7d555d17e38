/// Models of LangChain4j that run in the process: [QuernChatModel], [QuernStreamingChatModel],
/// [QuernEmbeddingModel], and a [QuernModel] that they share.
package dev.quern.langchain4j;
