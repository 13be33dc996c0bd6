using System.Globalization;
using SamCompress.Fuzz;

const string Usage = """
    fuzz [--minutes N] [--seed N] [TARGET ...]   damaged inputs for N minutes of processor time
    kills [--count N] [--seed N]                 quantize, killed N times
    repeat TARGET SEED [DIR]                     one case again, whose files stay in DIR
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
            var time = TimeSpan.FromMinutes(Number("--minutes", 1));
            long seed = (long)Number("--seed", 1);
            (IReadOnlyDictionary<string, long> cases, IReadOnlyList<Finding> findings, TimeSpan used) = new FuzzDriver(output).Run(Targets(), time, seed);
            foreach ((string target, long count) in cases)
                output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"fuzz   {target,-8} {count,8} cases, {findings.Count(f => f.Target == target)} findings"));
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"fuzz   {cases.Values.Sum()} cases in {used.TotalMinutes:F1} minutes of processor time, {findings.Count} findings"));
            return findings.Count == 0 ? 0 : 1;
        }

    case "kills":
        return new KillLoop(output).Run((int)Number("--count", 300), (int)Number("--seed", 1)) ? 0 : 1;

    case "work":
        FuzzDriver.Work(long.Parse(args[1], CultureInfo.InvariantCulture), double.Parse(args[2], CultureInfo.InvariantCulture), [.. args.Skip(3).Select(n => FuzzTarget.All.First(t => t.Name == n))], output);
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
