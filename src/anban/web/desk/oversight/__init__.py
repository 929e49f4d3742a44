"""Pages of oversight (督察): duty lists, instructions, like cases, sanctions, papers, visits, and what a district owes."""
