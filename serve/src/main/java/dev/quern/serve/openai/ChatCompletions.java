package dev.quern.serve.openai;

import com.fasterxml.jackson.databind.node.NullNode;
import dev.quern.llama.Piece;
import dev.quern.llama.chat.ChatListener;
import dev.quern.llama.chat.ChatRequest;
import dev.quern.llama.sampling.LogProbabilities;
import dev.quern.serve.answer.Answers;
import dev.quern.serve.answer.ChatQuestion;
import dev.quern.serve.answer.Ids;
import dev.quern.serve.answer.Once;
import dev.quern.serve.answer.Schemas;
import dev.quern.serve.answer.StreamErrors;
import dev.quern.serve.answer.ToolFields;
import dev.quern.serve.http.Endpoint;
import dev.quern.serve.http.EventStream;
import dev.quern.serve.http.Exchange;
import dev.quern.serve.http.JsonFields;
import dev.quern.serve.model.LoadedModel;
import dev.quern.serve.model.Models;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// `POST /v1/chat/completions`.
public final class ChatCompletions implements Endpoint {
  private static final Wire.Delta BEGIN = new Wire.Delta("assistant", "", null, null);
  private static final Wire.Delta END = new Wire.Delta(null, null, null, null);

  /// Where thoughts go: in a field of their own, or in the text (`none`), as llama.cpp's server has
  /// it.
  private static final List<String> THOUGHTS = List.of("auto", "deepseek", "none");

  private final Models models;
  private final ResponseFormats formats;

  public ChatCompletions(Models models, Schemas schemas) {
    this.models = models;
    formats = new ResponseFormats(schemas);
  }

  @Override
  public void answer(Exchange exchange) throws Exception {
    JsonFields f = exchange.json();
    try (Models.Lease lease = models.lease(exchange, f.string("model"))) {
      LoadedModel model = lease.model();
      GenerationFields fields =
          GenerationFields.read(f, model.model(), model.model().context())
              .with(formats.read(f), LogProbs.readChat(f));
      ToolFields tools = ToolFields.read(f);
      ChatRequest request =
          ChatRequest.of(Messages.read(f), fields.options())
              .withTools(tools.tools())
              .withChoice(tools.choice())
              .withVariables(variables(f))
              .withDeadline(models.timeLeft(exchange.age()))
              .withThoughtsInText(f.word("reasoning_format", THOUGHTS).equals(Optional.of("none")));
      f.only("modalities", "[\"text\"]", "answers are text");
      f.end();
      List<Answers.Question> questions = new ArrayList<>();
      for (int i = 0; i < fields.n(); i++) {
        questions.add(
            new ChatQuestion(
                model.chat(), request.withOptions(fields.options(i)), tools.parallel()));
      }
      Answers.report(exchange, model);
      Reply reply = new Reply(exchange, model, fields, questions);
      if (fields.stream()) {
        reply.stream();
      } else {
        reply.whole();
      }
    }
  }

  /// What the model's template is given beside the messages, as in `{"enable_thinking": false}`.
  private static Map<String, Object> variables(JsonFields f) {
    return f.object("chat_template_kwargs").map(JsonFields::all).orElse(Map.of());
  }

  /// What is said to one request.
  private static final class Reply {
    private final Exchange exchange;
    private final LoadedModel model;
    private final GenerationFields fields;
    private final List<Answers.Question> questions;
    private final String id = Ids.next("chatcmpl-");
    private final long created = System.currentTimeMillis() / 1000;

    Reply(
        Exchange exchange,
        LoadedModel model,
        GenerationFields fields,
        List<Answers.Question> questions) {
      this.exchange = exchange;
      this.model = model;
      this.fields = fields;
      this.questions = questions;
    }

    void whole() throws Exception {
      List<StringBuilder> texts = questions.stream().map(_ -> new StringBuilder()).toList();
      Answers answers =
          Answers.ask(exchange, questions, i -> piece -> texts.get(i).append(piece.text()));
      List<Wire.Choice> choices = new ArrayList<>();
      List<Answers.Ended> all = new ArrayList<>();
      for (int i = 0; i < answers.count(); i++) {
        Answers.Ended ended = answers.await(i);
        all.add(ended);
        choices.add(
            new Wire.Choice(
                i,
                message(texts.get(i).toString(), ended),
                logProbs(ended.generation().logProbabilities()),
                answers.finishReason(ended)));
      }
      exchange.send(
          200,
          new Wire.Chat(
              id,
              "chat.completion",
              created,
              model.name(),
              choices,
              Wire.Usage.of(all, all.size())));
    }

    private static Wire.Message message(String text, Answers.Ended ended) {
      List<Wire.Call> calls = Wire.Call.all(ended.calls());
      return new Wire.Message(
          "assistant",
          text.isEmpty() && !calls.isEmpty() ? null : text,
          ended.thoughts().isEmpty() ? null : ended.thoughts(),
          calls.isEmpty() ? null : calls,
          null);
    }

    private Wire.LogProbs logProbs(List<LogProbabilities> all) {
      return fields.options().logProbabilities().isEmpty()
          ? null
          : LogProbs.chat(model.model().tokenizer(), all);
    }

    void stream() throws Exception {
      EventStream events = exchange.events();
      List<Once> beginnings = new ArrayList<>();
      for (int i = 0; i < questions.size(); i++) {
        Wire.Chunk begin = chunk(i, BEGIN, null, null);
        beginnings.add(new Once(() -> events.send(begin)));
      }
      Answers answers =
          Answers.ask(exchange, questions, i -> new Parts(i, events, beginnings.get(i)));
      beginnings.forEach(Once::run);
      StreamErrors.telling(
          exchange,
          events::fail,
          () -> {
            List<Answers.Ended> all = new ArrayList<>();
            for (int i = 0; i < answers.count(); i++) {
              Answers.Ended ended = answers.await(i);
              all.add(ended);
              events.send(chunk(i, END, null, answers.finishReason(ended)));
            }
            if (fields.includeUsage()) {
              events.send(chunk(List.of(), Wire.Usage.of(all, all.size())));
            }
          });
      events.done();
    }

    private Wire.Chunk chunk(int index, Wire.Delta delta, Wire.LogProbs logProbs, String reason) {
      return chunk(
          List.of(new Wire.ChunkChoice(index, delta, logProbs, reason)),
          fields.includeUsage() ? NullNode.getInstance() : null);
    }

    private Wire.Chunk chunk(List<Wire.ChunkChoice> choices, Object usage) {
      return new Wire.Chunk(id, "chat.completion.chunk", created, model.name(), choices, usage);
    }

    /// Tells one answer as it comes.
    private final class Parts implements ChatListener {
      private final int choice;
      private final EventStream events;
      private final Once beginning;

      Parts(int choice, EventStream events, Once beginning) {
        this.choice = choice;
        this.events = events;
        this.beginning = beginning;
      }

      @Override
      public void text(Piece piece) {
        part(piece, Wire.Delta.ofText(piece.text()));
      }

      @Override
      public void thought(Piece piece) {
        part(piece, Wire.Delta.ofThought(piece.text()));
      }

      private void part(Piece piece, Wire.Delta delta) {
        beginning.run();
        Wire.LogProbs logProbs =
            piece.logProbabilities().isEmpty() ? null : logProbs(piece.logProbabilities());
        if (!piece.text().isEmpty() || logProbs != null) {
          events.send(chunk(choice, delta, logProbs, null));
        }
      }

      @Override
      public void callBegins(int index, String id, String name) {
        call(Wire.Call.first(index, id, new Wire.Function(name, "")));
      }

      @Override
      public void callArguments(int index, String part) {
        call(Wire.Call.more(index, part));
      }

      private void call(Wire.Call part) {
        beginning.run();
        events.send(chunk(choice, Wire.Delta.ofCall(part), null, null));
      }
    }
  }
}
