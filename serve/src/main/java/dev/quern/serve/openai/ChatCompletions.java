package dev.quern.serve.openai;

import com.fasterxml.jackson.databind.node.NullNode;
import dev.quern.llama.EngineRequest;
import dev.quern.serve.http.Endpoint;
import dev.quern.serve.http.EventStream;
import dev.quern.serve.http.Exchange;
import dev.quern.serve.http.JsonFields;
import dev.quern.serve.model.LoadedModel;
import dev.quern.serve.model.Models;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.function.Consumer;

/// `POST /v1/chat/completions`.
public final class ChatCompletions implements Endpoint {
  private static final Wire.Delta BEGIN = new Wire.Delta("assistant", "", null);
  private static final Wire.Delta END = new Wire.Delta(null, null, null);

  private final Models models;
  private final ResponseFormats formats = new ResponseFormats();

  public ChatCompletions(Models models) {
    this.models = models;
  }

  @Override
  public void answer(Exchange exchange) throws Exception {
    JsonFields f = exchange.json();
    try (Models.Lease lease = models.lease(f.string("model"))) {
      LoadedModel model = lease.model();
      GenerationFields fields =
          GenerationFields.read(f, model.model(), model.model().context())
              .with(formats.read(f), LogProbs.readChat(f));
      int[] prompt = model.chatTemplate().render(Messages.read(f)).tokens();
      f.only("modalities", "[\"text\"]", "answers are text");
      f.end();
      List<Answers.Question> questions = new ArrayList<>();
      for (int i = 0; i < fields.n(); i++) {
        EngineRequest request =
            models.withDeadline(EngineRequest.of(prompt, fields.options(i)), exchange.age());
        questions.add(new TextQuestion(model, request));
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
                new Wire.Message("assistant", texts.get(i).toString(), null, null),
                logProbs(ended),
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
              Answers.usage(all, all.size())));
    }

    private Wire.LogProbs logProbs(Answers.Ended ended) {
      OptionalInt wanted = fields.options().logProbabilities();
      return wanted.isEmpty()
          ? null
          : LogProbs.chat(model.model().tokenizer(), ended.generation().logProbabilities());
    }

    void stream() throws Exception {
      EventStream events = exchange.events();
      List<Once> beginnings = new ArrayList<>();
      for (int i = 0; i < questions.size(); i++) {
        Wire.Chunk begin = chunk(i, BEGIN, null);
        beginnings.add(new Once(() -> events.send(begin)));
      }
      Answers answers = Answers.ask(exchange, questions, i -> listener(i, events, beginnings));
      beginnings.forEach(Once::run);
      StreamErrors.telling(
          exchange,
          events,
          () -> {
            List<Answers.Ended> all = new ArrayList<>();
            for (int i = 0; i < answers.count(); i++) {
              all.add(answers.await(i));
              events.send(chunk(i, END, answers.finishReason(all.getLast())));
            }
            if (fields.includeUsage()) {
              events.send(chunk(List.of(), Answers.usage(all, all.size())));
            }
          });
      events.done();
    }

    private Consumer<Piece> listener(int i, EventStream events, List<Once> beginnings) {
      return piece -> {
        beginnings.get(i).run();
        events.send(chunk(i, new Wire.Delta(null, piece.text(), null), null));
      };
    }

    private Wire.Chunk chunk(int index, Wire.Delta delta, String reason) {
      return chunk(
          List.of(new Wire.ChunkChoice(index, delta, null, reason)),
          fields.includeUsage() ? NullNode.getInstance() : null);
    }

    private Wire.Chunk chunk(List<Wire.ChunkChoice> choices, Object usage) {
      return new Wire.Chunk(id, "chat.completion.chunk", created, model.name(), choices, usage);
    }
  }
}
