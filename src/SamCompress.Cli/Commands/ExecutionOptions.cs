using System.CommandLine;
using SamCompress.Runtime.Inference;

namespace SamCompress.Cli.Commands;

/// <summary>The options about where models run.</summary>
internal sealed class ExecutionOptions(CommonOptions common)
{
    private const int MostThreads = 1024;

    private readonly Option<string> _device = CommonOptions.Choice("--device", "Where models run.", "cpu", "cpu", "cuda");
    private readonly Option<int?> _threads = Numbers.Whole("--threads", "Threads of one operator. [default: one for each core]", 0, MostThreads);
    private readonly Option<long?> _maxMemory = Numbers.Bytes("--max-memory", "Stop when the process would take more memory.");

    public void AddTo(Command command)
    {
        foreach (Option option in new Option[] { _device, _threads, _maxMemory })
            command.Options.Add(option);
    }

    public Jobs.ExecutionRequest Of(ParseResult parse) => new()
    {
        Reading = common.Reading.Of(parse),
        Session = new SessionSettings
        {
            Device = parse.GetRequiredValue(_device) == "cuda" ? ExecutionDevice.Cuda : ExecutionDevice.Cpu,
            Threads = parse.GetValue(_threads) ?? 0,
            Limits = common.Reading.Of(parse).Limits,
        },
        MaxMemory = parse.GetValue(_maxMemory),
    };
}
