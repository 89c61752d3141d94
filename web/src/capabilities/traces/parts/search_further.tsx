/** Says back to when a search that took long is complete, and goes on from there. */
import { Button } from "@/kit/button";
import { Empty } from "@/kit/states";
import { moment } from "@/kit/format";

interface Props {
  searchedUntil: string;
  isSearching: boolean;
  onMore: () => void;
}

export function SearchFurther({ searchedUntil, isSearching, onMore }: Props) {
  return (
    <Empty title={`Searched back to ${moment(searchedUntil)}`}>
      <Button onPress={onMore} isDisabled={isSearching}>{isSearching ? "Searching" : "Search further"}</Button>
    </Empty>
  );
}
