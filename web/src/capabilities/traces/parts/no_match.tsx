/** Says that nothing matches, and which words of the filter stand in the way. */
import { useQueries } from "@tanstack/react-query";
import { Button } from "@/kit/button";
import { Empty } from "@/kit/states";
import { titleOf, type TimeRange } from "@/kit/time_range";
import { withoutEach } from "../clauses";
import { anyTraceQuery } from "../queries";

interface Props {
  filter: string;
  range: TimeRange;
  onFilter: (text: string) => void;
}

export function NoMatch({ filter, range, onFilter }: Props) {
  const choices = withoutEach(filter);
  const answers = useQueries({ queries: choices.map(({ rest }) => anyTraceQuery({ ...range, filter: rest })) });
  const helping = choices.filter((_, at) => answers[at]?.data === true);
  if (filter === "") return <Empty title={`No traces in this range: ${titleOf(range).toLowerCase()}`}>Choose a longer range, or wait: new traces appear here by themselves.</Empty>;
  return (
    <Empty title="No trace matches this filter">
      <p>{helping.length > 0 ? "Without one of its parts there are matches:" : "Removing any single part finds no traces either."}</p>
      {helping.map(({ clause, rest }) => (
        <Button key={clause} onPress={() => onFilter(rest)}>
          Drop <code>{clause}</code>
        </Button>
      ))}
      <Button onPress={() => onFilter("")}>Clear the filter</Button>
    </Empty>
  );
}
