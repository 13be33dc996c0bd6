using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using SamCompress.Testing;

namespace SamCompress.Fuzz;

/// <summary>
/// Kills <c>quantize</c> at random times, which replaces one artifact by another in turns. After each kill the artifact must be the old or the new one, byte for byte; a run that is let through
/// must succeed, and leave nothing but the artifact and its reports. The model is small, so that writing is a good part of a run.
/// </summary>
internal sealed class KillLoop(TextWriter output)
{
    private const int LetThroughEvery = 25;

    private readonly string _directory = Directory.CreateTempSubdirectory("samcompress-kill-").FullName;

    public bool Run(int kills, int seed)
    {
        var random = new Random(seed);
        string[][] options = [["--precision", "w8a8", "--external-data", "always"], ["--precision", "w8a8", "--external-data", "always", "--rounding", "gptq"]];
        var hashes = new List<string>();
        WriteModel();
        TimeSpan whole = TimeSpan.Zero;
        foreach (string[] option in options)
        {
            _ = Complete(option, out whole);
            hashes.Add(Artifact());
        }

        if (hashes[0] == hashes[1])
            throw new InvalidOperationException("both artifacts are the same, so that nothing would be tested");
        string[] names = Names();
        (int survived, int mixed, int failed, int littered, int replaced) = (0, 0, 0, 0, 0);
        for (int i = 1; i <= kills; i++)
        {
            string before = Artifact();
            using Process run = Start(options[i % options.Length]);
            bool ended = run.WaitForExit(whole * random.NextDouble());
            if (ended)
                survived++;
            else
                run.Kill(entireProcessTree: i % 2 == 0);
            run.WaitForExit();
            WaitForChild();
            string after = Artifact();
            replaced += after != before ? 1 : 0;
            if (!hashes.Contains(after))
            {
                mixed++;
                output.WriteLine($"mixed  kill {i}: the artifact is neither the old nor the new one");
            }

            if (i % LetThroughEvery != 0)
                continue;
            failed += Complete(options[(i / LetThroughEvery) % options.Length], out whole) ? 0 : 1;
            littered += Names().SequenceEqual(names) ? 0 : 1;
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"kills  {i}/{kills}, {replaced} artifacts replaced, {survived} runs done before their kill"));
            output.Flush();
        }

        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"kills  {kills}: {mixed} mixed artifacts, {failed} failed runs behind, {littered} with litter; {replaced} artifacts replaced, {survived} runs done before their kill"));
        Directory.Delete(_directory, recursive: true);
        return mixed + failed + littered == 0;
    }

    private string Output => Path.Combine(_directory, "out.onnx");

    private string Model => Path.Combine(_directory, "model.onnx");

    /// <summary>An encoder of one layer, which cuts pictures into patches: large enough to become smaller.</summary>
    private void WriteModel()
    {
        string weights = string.Join(", ", Enumerable.Range(0, 64 * 3 * 16 * 16).Select(i => FormattableString.Invariant($"{(((i * 7919) % 2003) - 1001) / 8000.0:F5}")));
        using IR.Model model = ModelText.Parse(
            $$"""
            agraph (float[1,3,256,256] image) => (float[1,64,16,16] embedding) <float[64,3,16,16] W = { {{weights}} }, float[64] B = { {{string.Join(", ", Enumerable.Repeat("0.1", 64))}} }>
            { embedding = Conv<kernel_shape = [16, 16], strides = [16, 16]>(image, W, B) }
            """, opset: 17);
        IR.OnnxWriter.Save(model, Model);
    }

    /// <summary>Both files in one hash.</summary>
    private string Artifact() => string.Join('+', new[] { Output, Output + ".data" }.Select(f => File.Exists(f) ? Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(f))) : "none"));

    private string[] Names() => [.. Directory.EnumerateFileSystemEntries(_directory).Select(e => Path.GetFileName(e)).Order(StringComparer.Ordinal)];

    /// <param name="took">How long a run takes now: machines are shared.</param>
    private bool Complete(string[] options, out TimeSpan took)
    {
        long start = Stopwatch.GetTimestamp();
        using Process run = Start(options);
        run.WaitForExit();
        took = Stopwatch.GetElapsedTime(start);
        return run.ExitCode == 0;
    }

    /// <summary>A child whose parent was killed needs a moment to hear of it.</summary>
    private void WaitForChild()
    {
        string stage = Path.Combine(_directory, ".out.onnx.samcompress-stage", ".owner");
        if (!File.Exists(stage) || !int.TryParse(File.ReadAllText(stage), CultureInfo.InvariantCulture, out int id))
            return;
        try
        {
            using var child = Process.GetProcessById(id);
            child.WaitForExit();
        }
        catch (ArgumentException)
        {
            // It has ended already.
        }
    }

    private Process Start(string[] options)
    {
        string root = SkeletonModels.RepositoryRoot;
        string[] args =
        [
            typeof(Cli.CommandLine).Assembly.Location, "quantize", Model, "-o", Output, "--overwrite", "--quiet",
            "--calibration-data", Path.Combine(root, "calibration"), "--samples", "4", "--calibration-cache", Path.Combine(_directory, "cache.json"), .. options,
        ];
        return Process.Start(new ProcessStartInfo("dotnet", args) { RedirectStandardOutput = true, RedirectStandardError = true })!;
    }
}
