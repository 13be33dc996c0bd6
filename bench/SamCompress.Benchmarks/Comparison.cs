using System.Diagnostics;

namespace SamCompress.Benchmarks;

/// <summary>One way to do the work of a comparison.</summary>
/// <param name="Run">Does the work once.</param>
/// <param name="Note">What else is worth knowing, for example which kernels ran.</param>
internal sealed record Candidate(string Name, Action Run, string Note = "");

/// <summary>The time of a candidate.</summary>
/// <param name="Minimum">Milliseconds of the fastest run.</param>
/// <param name="Ratio">The minimum of the first candidate divided by this one's: over 1 is faster.</param>
internal sealed record Measurement(Candidate Candidate, double Minimum, double Ratio);

/// <summary>
/// Times candidates in one process, each once a round in turn, so that what the machine does besides hits all of them.
/// Reports minima and their ratio to the first candidate: absolute times belong to the machine.
/// </summary>
internal static class Comparison
{
    public static IReadOnlyList<Measurement> Measure(IReadOnlyList<Candidate> candidates, int rounds)
    {
        double[] minima = [.. candidates.Select(_ => double.PositiveInfinity)];
        foreach (Candidate candidate in candidates)
            candidate.Run();
        for (int round = 0; round < rounds; round++)
        {
            for (int i = 0; i < candidates.Count; i++)
            {
                long start = Stopwatch.GetTimestamp();
                candidates[i].Run();
                minima[i] = Math.Min(minima[i], Stopwatch.GetElapsedTime(start).TotalMilliseconds);
            }
        }

        return [.. candidates.Select((candidate, i) => new Measurement(candidate, minima[i], minima[0] / minima[i]))];
    }
}
