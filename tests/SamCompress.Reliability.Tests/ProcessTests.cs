using System.Diagnostics;
using System.Globalization;
using SamCompress.Cli.Tests;

namespace SamCompress.Reliability.Tests;

/// <summary>What only a process of its own can meet: limits of the system, signals, and what is missing around it.</summary>
public sealed class ProcessTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    /// <summary>A quota stands in for a full disk: the write fails in the middle of the output.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(17)]
    [InlineData(63)]
    [Row("system-04")]
    public void A_full_disk_leaves_the_old_output(int kibibytes)
    {
        string model = Large(16_384);
        _directory.Write("out.onnx", "old");

        ProgramRun run = ProgramRun.Of(["optimize", model, "-o", _directory.File("out.onnx"), "--overwrite", "-q"], $"ulimit -f {kibibytes}", NoWriteXorExecute);

        Assert.Equal(5, run.ExitCode);
        Assert.StartsWith($"{_directory.File("out.onnx")}: error SC5000: cannot write: ", run.ErrorLines[0], StringComparison.Ordinal);
        Assert.Contains("(65.5 kB or more are needed)", run.ErrorLines[1], StringComparison.Ordinal);
        Assert.Contains("untouched", run.ErrorLines[1], StringComparison.Ordinal);
        Assert.Equal(["model.onnx", "out.onnx"], _directory.Names);
        Assert.Equal("old", File.ReadAllText(_directory.File("out.onnx")));
    }

    [Theory]
    [InlineData("inspect MODEL > /dev/full", 5)]
    [InlineData("inspect MODEL --format json > /dev/full", 5)]
    [InlineData("inspect MODEL 2> /dev/full", 0)]
    [InlineData("inspect MODEL 2>&-", 0)]
    [InlineData("inspect NONE 2> /dev/full", 3)]
    [InlineData("inspect NONE 2>&-", 3)]
    [InlineData("inspect NONE --format json > /dev/full 2> /dev/full", 3)]
    [InlineData("inspect MODEL --format json | head -c 1 > /dev/null", 0)]
    [Row("system-04")]
    public void A_result_or_an_error_that_nobody_can_read_keeps_its_exit_code(string command, int exitCode)
    {
        string model = Large(4);
        string line = command.Replace("MODEL", model, StringComparison.Ordinal).Replace("NONE", _directory.File("none.onnx"), StringComparison.Ordinal);

        using Process process = Process.Start(new ProcessStartInfo("bash", ["-c", $"set -o pipefail; dotnet '{ProgramRun.Program}' {line}"]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        ProgramRun run = ProgramRun.Finish(process);

        Assert.Equal(exitCode, run.ExitCode);
        Assert.DoesNotContain("Unhandled", run.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("INT", 130)]
    [InlineData("TERM", 143)]
    [InlineData("HUP", 130)]
    [Row("system-05")]
    [Row("system-07")]
    public void A_signal_ends_a_run_that_cleans_up_and_meanwhile_nobody_else_gets_its_output(string signal, int exitCode)
    {
        string output = _directory.File("out.onnx");
        using Process first = ProgramRun.Start(["quantize", Tiny.Nano, "-o", output, "-q"]);
        WaitFor(() => File.Exists(_directory.File(".out.onnx.samcompress-stage/.owner")), first);

        if (signal == "TERM")
        {
            ProgramRun second = ProgramRun.Of(["quantize", Tiny.Nano, "-o", output, "--overwrite", "-q"]);
            Assert.Equal(5, second.ExitCode);
            Assert.Contains("another run is writing this output: process ", second.ErrorLines[0], StringComparison.Ordinal);
        }

        Signal(first, signal);
        ProgramRun run = ProgramRun.Finish(first);

        Assert.Equal(exitCode, run.ExitCode);
        Assert.Contains("interrupted", run.Error, StringComparison.Ordinal);
        Assert.Empty(_directory.Names);
    }

    /// <summary>One makes it, the others wait and use it.</summary>
    [Fact]
    [Row("system-07")]
    public void Many_runs_with_one_calibration_cache_all_succeed_with_the_same_bytes()
    {
        string[] args = Tiny.Quantize(_directory, Tiny.Encoder, "--calibration-cache", _directory.File("cache.json"));
        string[] outputs = [.. Enumerable.Range(0, 8).Select(i => _directory.File($"{i}.onnx"))];
        Process[] processes = [.. outputs.Select(o => ProgramRun.Start(args.Select(a => a == _directory.File("out.onnx") ? o : a)))];
        ProgramRun[] runs = [.. processes.Select(ProgramRun.Finish)];

        // So small a model becomes larger, which is a negative result.
        Assert.All(runs, r => Assert.Equal((1, ""), (r.ExitCode, r.Error)));
        Assert.Equal(runs.Length - 1, runs.Count(r => r.Out.Contains("from the cache", StringComparison.Ordinal)));
        Assert.All(outputs, o => Assert.Equal(File.ReadAllBytes(outputs[0]), File.ReadAllBytes(o)));
        Assert.DoesNotContain(_directory.Names, n => n.Contains("stage", StringComparison.Ordinal));
    }

    /// <summary>Also at the speed of somebody who is impatient: the second signal ends the process at once, and the next run sweeps.</summary>
    [Fact]
    [Row("system-05")]
    public void A_second_signal_ends_it_at_once()
    {
        string output = _directory.File("out.onnx");
        using Process process = ProgramRun.Start(["quantize", Tiny.Nano, "-o", output, "-q"]);
        WaitFor(() => File.Exists(_directory.File(".out.onnx.samcompress-stage/.owner")), process);
        Signal(process, "INT");
        Signal(process, "INT");

        Assert.Equal(130, ProgramRun.Finish(process).ExitCode);
        Assert.False(File.Exists(output));
        Assert.Equal(0, ProgramRun.Of(["optimize", Large(4), "-o", output, "-q"]).ExitCode);
        Assert.Equal(["model.onnx", "out.onnx"], _directory.Names);
    }

    [Theory]
    [InlineData("NO_COLOR=")]
    [InlineData("NO_COLOR=1")]
    [InlineData("TERM=dumb")]
    [InlineData("TERM=xterm-256color")]
    [InlineData("CI=true")]
    [InlineData("COLUMNS=20")]
    [InlineData("LANG=C", "LC_ALL=C")]
    [InlineData("LANG=tr_TR.UTF-8", "LC_ALL=tr_TR.UTF-8")]
    [InlineData("LANG=de_DE.UTF-8", "LC_ALL=de_DE.UTF-8")]
    [Row("system-08")]
    public void Terminals_and_languages_change_nothing_that_is_written(params string[] settings)
    {
        string model = Large(1000);
        CommandRun expected = CommandRun.Of("inspect", model, "--nodes");

        ProgramRun run = ProgramRun.Of(["inspect", model, "--nodes"], "", [.. settings.Select(s => (s.Split('=')[0], (string?)s.Split('=')[1]))]);

        Assert.Equal((0, expected.Out, ""), (run.ExitCode, run.Out, run.Error));
        Assert.DoesNotContain('\u001b', run.Out);
    }

    [Theory]
    [InlineData("unset HOME TMPDIR XDG_CONFIG_HOME DOTNET_CLI_HOME")]
    [InlineData("export HOME=/nonexistent TMPDIR=/nonexistent")]
    [InlineData("export HOME=/proc TMPDIR=/proc")]
    [InlineData("mkdir GONE; cd GONE; rmdir GONE")]
    [InlineData("umask 777")]
    [Row("system-09")]
    public void Nothing_is_needed_around_it(string before)
    {
        string model = Large(4);

        ProgramRun run = ProgramRun.Of(["optimize", model, "-o", _directory.File("out.onnx"), "-q"], before.Replace("GONE", _directory.File("gone"), StringComparison.Ordinal));

        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        Assert.Equal(["model.onnx", "out.onnx"], _directory.Names);
    }

    [Fact]
    [Row("system-09")]
    public void A_current_folder_that_is_gone_is_named()
    {
        ProgramRun run = ProgramRun.Of(["inspect", "model.onnx"], $"mkdir {_directory.File("gone")}; cd {_directory.File("gone")}; rmdir {_directory.File("gone")}");

        Assert.InRange(run.ExitCode, 3, 5);
        Assert.Matches("error SC[35]000: ", run.ErrorLines[0]);
    }

    [Fact]
    [Row("system-10")]
    public void Too_little_memory_is_exit_6_with_the_option_to_turn()
    {
        string output = _directory.File("out.onnx");

        ProgramRun run = ProgramRun.Of(["quantize", Tiny.Nano, "-o", output, "-q"], "", ("DOTNET_GCHeapHardLimit", "0x2000000"));

        Assert.Equal(6, run.ExitCode);
        Assert.Equal(2, run.ErrorLines.Length);
        Assert.Contains("out of memory", run.ErrorLines[0], StringComparison.Ordinal);
        Assert.Contains("--max-memory", run.ErrorLines[1], StringComparison.Ordinal);
        Assert.Empty(_directory.Names);
    }

    [Fact]
    [Row("system-10")]
    public void Little_address_space_is_enough_for_a_small_model() =>
        Assert.Equal(0, ProgramRun.Of(["optimize", Large(4), "-o", _directory.File("out.onnx"), "-q"], "ulimit -v 4000000").ExitCode);

    [Theory]
    [InlineData(null, "was not found or could not be loaded")]
    [InlineData("not a library", "was not found or could not be loaded")]
    [Row("system-11")]
    public void Without_ONNX_Runtime_it_says_which_version_it_wants(string? library, string says)
    {
        string program = Path.GetDirectoryName(ProgramRun.Program)!, copy = Directory.CreateDirectory(_directory.File("program")).FullName;
        foreach (string file in Directory.EnumerateFiles(program).Where(f => !f.EndsWith(".deps.json", StringComparison.Ordinal)))
            File.CreateSymbolicLink(Path.Combine(copy, Path.GetFileName(file)), file);
        File.Delete(Path.Combine(copy, "samcompress.dll"));
        File.Copy(ProgramRun.Program, Path.Combine(copy, "samcompress.dll"));
        if (library is not null)
            File.WriteAllText(Path.Combine(copy, "libonnxruntime.so"), library);

        using Process process = Process.Start(new ProcessStartInfo("dotnet", [Path.Combine(copy, "samcompress.dll"), "bench", Large(4), "-q"]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        ProgramRun run = ProgramRun.Finish(process);

        Assert.Equal(6, run.ExitCode);
        Assert.Contains("onnxruntime", run.ErrorLines[0], StringComparison.Ordinal);
        Assert.Contains(says, run.ErrorLines[0], StringComparison.Ordinal);
        Assert.Contains("version 1.29 or later is wanted", run.ErrorLines[0], StringComparison.Ordinal);
    }

    [Fact]
    [Row("system-13")]
    public void The_same_command_gives_the_same_bytes_in_another_folder_language_and_zone()
    {
        string model = Large(4096);
        string here = _directory.File("out.onnx"), there = _directory.File("other/place/out.onnx");

        ProgramRun.Of(["optimize", model, "-o", here, "-q", "--external-data", "always"]);
        ProgramRun.Of(["optimize", model, "-o", there, "-q", "--external-data", "always"], "cd /", ("TZ", "Asia/Tokyo"), ("LC_ALL", "tr_TR.UTF-8"), ("DOTNET_PROCESSOR_COUNT", "1"));

        Assert.Equal(File.ReadAllBytes(here), File.ReadAllBytes(there));
        Assert.Equal(File.ReadAllBytes(here + ".data"), File.ReadAllBytes(there + ".data"));
    }

    /// <summary>One after the other on the other side of the date line, in languages of other cases and commas, on one thread and on all. Statistics differ between machines, so that their file is given.</summary>
    [Fact]
    [Row("system-13")]
    public void Quantization_gives_the_same_bytes_for_any_folder_language_day_and_number_of_threads()
    {
        string cache = _directory.File("cache.json");
        string[] Options(string output) => ["quantize", Tiny.Nano, "-o", output, "-q", "--samples", "4", "--calibration-cache", cache, "--external-data", "always"];
        string here = _directory.File("out.onnx");
        Assert.Equal(0, ProgramRun.Of(Options(here), "", ("TZ", "Etc/GMT+12"), ("LC_ALL", "C")).ExitCode);

        (string[] Threads, string Language, string Zone)[] others = [(["--threads", "1"], "tr_TR.UTF-8", "Pacific/Kiritimati"), (["--threads", "3"], "de_DE.UTF-8", "Asia/Tokyo")];
        foreach ((string[] threads, string language, string zone) in others)
        {
            string there = _directory.File($"{language}/out.onnx");
            Assert.Equal(0, ProgramRun.Of([.. Options(there), .. threads], "cd /", ("TZ", zone), ("LC_ALL", language)).ExitCode);
            Assert.Equal(File.ReadAllBytes(here), File.ReadAllBytes(there));
            Assert.Equal(File.ReadAllBytes(here + ".data"), File.ReadAllBytes(there + ".data"));
        }
    }

    /// <summary>The runtime itself makes a file of its code otherwise, which the quota forbids too.</summary>
    private static (string, string?) NoWriteXorExecute => ("DOTNET_EnableWriteXorExecute", "0");

    /// <summary>y = x + w of that many elements.</summary>
    private string Large(int elements) => Files.Bytes(_directory, "model.onnx", Onnx.Model(
        Onnx.Input("x", elements), Onnx.Initializer("w", Onnx.Float, [elements], Wire.Message(9, new byte[elements * 4])), Onnx.Node("Add", ["x", "w"], ["y"]), Onnx.Output("y", elements)));

    private static void Signal(Process process, string name)
    {
        using Process kill = Process.Start("kill", [$"-{name}", process.Id.ToString(CultureInfo.InvariantCulture)]);
        kill.WaitForExit();
    }

    private static void WaitFor(Func<bool> condition, Process process)
    {
        var watch = Stopwatch.StartNew();
        while (!condition())
        {
            Assert.False(process.HasExited, "the run ended too early");
            Assert.True(watch.Elapsed < Patience, "the run does not begin");
            Thread.Sleep(20);
        }
    }
}
