using System.Diagnostics;
using System.Globalization;

namespace SamCompress.Fuzz;

/// <summary>How much is tried: it ends with whichever is used up first.</summary>
internal readonly record struct FuzzBudget(TimeSpan ProcessorTime, long Cases)
{
    public bool IsUsed => ProcessorTime <= TimeSpan.Zero || Cases <= 0;
}

/// <summary>
/// Runs workers in processes of their own, because a case may crash the process that runs it. A worker prints the case that it begins, and what it finds; one that dies or says nothing for too
/// long has found something as well, and the next goes on behind it.
/// </summary>
internal sealed class FuzzDriver(TextWriter output)
{
    private static readonly TimeSpan MostSilence = TimeSpan.FromSeconds(60);

    private const long SeedsOfAJob = 1_000_000_000;

    /// <summary>What a worker takes that comes to no case: without it, a rest too small for any would last for ever.</summary>
    private static readonly TimeSpan LeastTime = TimeSpan.FromSeconds(0.1);

    /// <summary>How many cases were run of each target, and what they found.</summary>
    /// <param name="budget">Of all workers together.</param>
    /// <param name="seed">That of the first case.</param>
    /// <param name="jobs">So many workers at once: one alone waits for the disk most of the time. Each has seeds of its own.</param>
    public (IReadOnlyDictionary<string, long> Cases, IReadOnlyList<Finding> Findings, TimeSpan ProcessorTime) Run(IReadOnlyList<FuzzTarget> targets, FuzzBudget budget, long seed, int jobs = 1)
    {
        var share = new FuzzBudget(budget.ProcessorTime / jobs, budget.Cases / jobs);
        FuzzJob[] done = [.. Enumerable.Range(0, jobs).AsParallel().WithDegreeOfParallelism(jobs).Select(j => Run(targets, share, new FuzzJob(seed + (j * SeedsOfAJob))))];
        return (
            targets.ToDictionary(t => t.Name, t => done.Sum(j => j.Cases.GetValueOrDefault(t.Name)), StringComparer.Ordinal),
            [.. done.SelectMany(j => j.Findings)],
            done.Aggregate(TimeSpan.Zero, (sum, j) => sum + j.ProcessorTime));
    }

    private FuzzJob Run(IReadOnlyList<FuzzTarget> targets, FuzzBudget budget, FuzzJob job)
    {
        for (FuzzBudget left = budget; !left.IsUsed; left = new FuzzBudget(budget.ProcessorTime - job.ProcessorTime, budget.Cases - job.Cases.Values.Sum()))
            Watch(targets, left, job);
        return job;
    }

    private void Watch(IReadOnlyList<FuzzTarget> targets, FuzzBudget budget, FuzzJob job)
    {
        string[] args =
        [
            "work", job.NextSeed.ToString(CultureInfo.InvariantCulture), budget.ProcessorTime.TotalSeconds.ToString(CultureInfo.InvariantCulture), budget.Cases.ToString(CultureInfo.InvariantCulture),
            .. targets.Select(t => t.Name),
        ];
        using Process worker = Process.Start(new ProcessStartInfo("dotnet", [typeof(FuzzDriver).Assembly.Location, .. args]) { RedirectStandardOutput = true })!;
        (string Target, long Seed) current = ("", job.NextSeed);
        TimeSpan used = LeastTime;
        while (true)
        {
            Task<string?> next = worker.StandardOutput.ReadLineAsync();
            if (!next.Wait(MostSilence))
            {
                worker.Kill();
                Report(new Finding(current.Target, current.Seed, string.Create(CultureInfo.InvariantCulture, $"hangs: no answer within {MostSilence.TotalSeconds} s")));
                break;
            }

            if (next.Result is not { } line)
                break;
            string[] parts = line.Split('\t');
            switch (parts)
            {
                case ["begin", var target, var number, var seconds]:
                    current = (target, long.Parse(number, CultureInfo.InvariantCulture));
                    used = TimeSpan.FromSeconds(double.Parse(seconds, CultureInfo.InvariantCulture));
                    job.Cases[target] = job.Cases.GetValueOrDefault(target) + 1;
                    break;
                case ["found", var target, var number, var what]:
                    Report(new Finding(target, long.Parse(number, CultureInfo.InvariantCulture), what));
                    break;
            }
        }

        worker.WaitForExit();
        if (worker.ExitCode is not (0 or 137))
            Report(new Finding(current.Target, current.Seed, string.Create(CultureInfo.InvariantCulture, $"crashed the process: exit code {worker.ExitCode}")));
        job.NextSeed = current.Seed + 1;
        job.ProcessorTime += used;

        void Report(Finding finding)
        {
            job.Findings.Add(finding);
            lock (output)
                output.WriteLine($"found  {finding.Target} {finding.Seed}: {finding.What}");
        }
    }

    /// <summary>What a worker does.</summary>
    public static void Work(long seed, FuzzBudget budget, IReadOnlyList<FuzzTarget> targets, TextWriter output)
    {
        using var worker = new FuzzWorker();
        using var process = Process.GetCurrentProcess();
        for (long i = seed; process.TotalProcessorTime < budget.ProcessorTime && i - seed < budget.Cases; i++, process.Refresh())
        {
            FuzzTarget target = targets[(int)(i % targets.Count)];
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"begin\t{target.Name}\t{i}\t{process.TotalProcessorTime.TotalSeconds}"));
            if (worker.Run(target, i) is { } finding)
                output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"found\t{finding.Target}\t{finding.Seed}\t{finding.What.ReplaceLineEndings(" | ").Replace('\t', ' ')}"));
            output.Flush();
        }
    }

    /// <summary>What workers one after the other have come to.</summary>
    private sealed class FuzzJob(long seed)
    {
        public long NextSeed { get; set; } = seed;

        public Dictionary<string, long> Cases { get; } = new(StringComparer.Ordinal);

        public List<Finding> Findings { get; } = [];

        public TimeSpan ProcessorTime { get; set; }
    }
}
