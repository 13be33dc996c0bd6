using System.Globalization;
using SamCompress.Fuzz;

const string Usage = """
    fuzz [--minutes N] [--cases N] [--seed N] [--jobs N] [TARGET ...]   damaged inputs, for N minutes of processor time or N of them
    kills [--count N] [--seed N]                                        quantize, killed N times
    repeat TARGET SEED [DIR]                                            one case again, whose files stay in DIR
    """;
TextWriter output = Console.Out;
List<string> rest = [.. args.Skip(1)];
double Number(string name, double otherwise)
{
    int place = rest.IndexOf(name);
    if (place < 0 || place + 1 >= rest.Count)
        return otherwise;
    double value = double.Parse(rest[place + 1], CultureInfo.InvariantCulture);
    rest.RemoveRange(place, 2);
    return value;
}

FuzzTarget[] Targets() => rest.Count == 0 ? [.. FuzzTarget.All] : [.. rest.Select(n => FuzzTarget.All.First(t => t.Name == n))];
switch (args.FirstOrDefault())
{
    case "fuzz":
        {
            var budget = new FuzzBudget(TimeSpan.FromMinutes(Number("--minutes", 1)), (long)Number("--cases", long.MaxValue));
            long seed = (long)Number("--seed", 1);
            int jobs = (int)Number("--jobs", 1);
            (IReadOnlyDictionary<string, long> cases, IReadOnlyList<Finding> findings, TimeSpan used) = new FuzzDriver(output).Run(Targets(), budget, seed, jobs);
            foreach ((string target, long count) in cases)
                output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"fuzz   {target,-8} {count,8} cases, {findings.Count(f => f.Target == target)} findings"));
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"fuzz   {cases.Values.Sum()} cases in {used.TotalMinutes:F1} minutes of processor time, {findings.Count} findings"));
            return findings.Count == 0 ? 0 : 1;
        }

    case "kills":
        return new KillLoop(output).Run((int)Number("--count", 300), (int)Number("--seed", 1)) ? 0 : 1;

    case "work":
        rest.RemoveRange(0, 3);
        FuzzDriver.Work(
            long.Parse(args[1], CultureInfo.InvariantCulture),
            new FuzzBudget(TimeSpan.FromSeconds(double.Parse(args[2], CultureInfo.InvariantCulture)), long.Parse(args[3], CultureInfo.InvariantCulture)),
            Targets(),
            output);
        return 0;

    case "repeat":
        {
            using var worker = new FuzzWorker();
            Finding? finding = worker.Run(FuzzTarget.All.First(t => t.Name == args[1]), long.Parse(args[2], CultureInfo.InvariantCulture), args.ElementAtOrDefault(3));
            output.WriteLine(finding?.What ?? "as it should be");
            return finding is null ? 0 : 1;
        }

    default:
        Console.Error.WriteLine(Usage);
        return 2;
}
