namespace SamCompress.Cli.Tests;

public sealed class CommandLineTests
{
    /// <summary>Found by the fuzzer, as bugs deep in a job.</summary>
    [Theory]
    [InlineData("the argument behind '-o' is empty", "quantize", "m.onnx", "-o", "")]
    [InlineData("the first argument is empty", "")]
    [InlineData("'*' is no value of --crop-layers", "segment", "a", "b", "--everything", "grid", "--crop-layers", "*")]
    [InlineData("holds a NUL character", "inspect", "m\0.onnx")]
    [InlineData("expects a single argument but 2 were provided", "inspect", "--model", "a", "--model", "b")]
    [InlineData("expects a single argument but 2 were provided", "quantize", "a", "--samples", "1", "--samples", "2")]
    public void An_argument_that_is_none_is_a_usage_error(string message, params string[] args)
    {
        CommandRun run = CommandRun.Of(args);
        Assert.Equal(2, run.ExitCode);
        Assert.Contains(message, run.ErrorLines[0], StringComparison.Ordinal);
    }

    [Fact]
    public void Version_is_one_line()
    {
        CommandRun run = CommandRun.Of("--version");

        Assert.Equal(0, run.ExitCode);
        Assert.Equal("samcompress 0.1.0\n", run.Out);
        Assert.Empty(run.Error);
    }

    [Fact]
    public void No_command_is_a_usage_error()
    {
        CommandRun run = CommandRun.Of();

        Assert.Equal(2, run.ExitCode);
        Assert.Empty(run.Out);
        Assert.Equal(["samcompress: error SC2000: Required command was not provided.", "hint: 'samcompress --help' lists what can be given."], run.ErrorLines);
    }

    [Fact]
    public void A_misspelt_command_is_answered_with_the_nearest()
    {
        CommandRun run = CommandRun.Of("dcotor");

        Assert.Equal(2, run.ExitCode);
        Assert.Equal(["samcompress: error SC2000: Unrecognized command or argument 'dcotor'.", "hint: did you mean doctor?"], run.ErrorLines);
    }

    [Fact]
    public void A_misspelt_option_is_answered_with_the_nearest()
    {
        CommandRun run = CommandRun.Of("doctor", "--fromat", "json");

        Assert.Equal(2, run.ExitCode);
        Assert.Equal("hint: did you mean --format?", run.ErrorLines[1]);
    }

    [Fact]
    public void A_wrong_value_is_answered_with_the_right_ones()
    {
        CommandRun run = CommandRun.Of("doctor", "--format", "yaml");

        Assert.Equal(2, run.ExitCode);
        Assert.Equal("samcompress: error SC2000: 'yaml' is no value of --format: use one of text, json.", run.ErrorLines[0]);
    }

    [Fact]
    public void With_json_an_error_is_one_object_on_standard_output_too()
    {
        CommandRun run = CommandRun.Of("doctor", "extra", "--format", "json");

        Assert.Equal(2, run.ExitCode);
        Assert.Equal(1, run.Json.GetProperty("schemaVersion").GetInt32());
        Assert.Equal("SC2000", run.Json.GetProperty("error").GetProperty("code").GetString());
        Assert.Equal(2, run.Json.GetProperty("error").GetProperty("exitCode").GetInt32());
        Assert.Equal(2, run.ErrorLines.Length);
    }

    [Theory]
    [InlineData(FailureKind.Usage, 2)]
    [InlineData(FailureKind.InputRejected, 3)]
    [InlineData(FailureKind.Unsupported, 4)]
    [InlineData(FailureKind.Output, 5)]
    [InlineData(FailureKind.Runtime, 6)]
    public void A_failure_is_one_line_and_a_hint(FailureKind kind, int exitCode)
    {
        CommandRun run = Failing(new SamCompressException(kind, "tensor 'w' is short", "export it again") { Location = "encoder.onnx(/blocks.0/attn/MatMul)" });

        Assert.Equal(exitCode, run.ExitCode);
        Assert.Equal([$"encoder.onnx(/blocks.0/attn/MatMul): error SC{exitCode}000: tensor 'w' is short", "hint: export it again"], run.ErrorLines);
    }

    [Fact]
    public void A_bug_shows_its_trace_and_asks_for_a_report()
    {
        CommandRun run = Failing(new InvariantException("value has two producers"));

        Assert.Equal(70, run.ExitCode);
        Assert.Contains("InvariantException", run.Error, StringComparison.Ordinal);
        Assert.Contains("please report", run.ErrorLines[^1], StringComparison.Ordinal);
    }

    [Fact]
    public void Running_out_of_memory_says_which_knob_to_turn()
    {
        CommandRun run = Failing(new InsufficientMemoryException("16 GiB"));

        Assert.Equal(6, run.ExitCode);
        Assert.Contains("--max-memory", run.ErrorLines[1], StringComparison.Ordinal);
    }

    [Fact]
    public void An_interruption_has_the_code_of_the_signal()
    {
        Assert.Equal(130, Failing(new OperationCanceledException()).ExitCode);
    }

    [Fact]
    public void Names_from_a_model_cannot_steer_the_terminal()
    {
        CommandRun run = Failing(new SamCompressException(FailureKind.InputRejected, $"node '\u001b[31m{new string('x', 5000)}\n' is \u202Ebad"));

        Assert.Equal($"samcompress: error SC3000: node '[31m{new string('x', 93)}...' is bad", run.ErrorLines[0]);
    }

    private static CommandRun Failing(Exception failure)
    {
        using var output = new StringWriter { NewLine = "\n" };
        using var error = new StringWriter { NewLine = "\n" };
        int exitCode = CommandLine.Guard(new CommandContext { Out = output, Error = error }, json: false, () => throw failure);
        return new CommandRun(exitCode, output.ToString(), error.ToString());
    }
}
